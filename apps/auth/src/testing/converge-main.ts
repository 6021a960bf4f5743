// One convergence in a process of its own, for the benchmark: the argument says which, the answer is a message.
import { converge, convergeBare } from './converge.ts';

const { picked, others, how } = JSON.parse(process.argv[2] ?? 'null') as {
  readonly picked: number;
  readonly others: number;
  readonly how: 'ours' | 'bare';
};
const result = how === 'ours' ? await converge({ picked, others }) : convergeBare(picked);
process.send?.(result, () => {
  process.disconnect();
});
