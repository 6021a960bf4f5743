// Decides who may log in: libs/access, and the plain reference, on the same requests.
import { compileRoles, decide } from '@tagplane/access';
import { referenceDecide } from '@tagplane/access/testing';
import type { AccessAnswer, AccessSpeed, AccessWork } from '../access-work.ts';
import { accessWorld } from '../access-work.ts';
import { answer, workerArgument } from '../worker.ts';

const work = workerArgument() as AccessWork;
const { roles, nodes, requests, now } = accessWorld(work);
const compiled = compileRoles(roles);

/** Decides request `index`; says whether it is allowed. */
type Decider = (index: number) => boolean;

const decider =
  (decideOne: (node: (typeof nodes)[number], request: (typeof requests)[number], index: number) => boolean) =>
  (index: number): boolean => {
    const node = nodes[index % nodes.length];
    const request = requests[index % requests.length];
    if (node === undefined || request === undefined) throw new Error('the world is empty');
    return decideOne(node, request, index);
  };
// A thousandth of a millisecond passes with every decision: far from any label's end.
const ours = decider((node, request, index) => decide(node, compiled, request, now + index / 1e6).allowed);
const reference = decider(
  (node, request, index) => referenceDecide(node, roles, request, now + index / 1e6).allowed,
);

function compare(): number {
  let allowed = 0;
  const count = Math.min(requests.length, Math.ceil(200_000 / work.held));
  for (let index = 0; index < count; index += 1) {
    if (ours(index) !== reference(index)) throw new Error(`request ${index}: ours is not as the reference`);
    if (ours(index)) allowed += 1;
  }
  return allowed / count;
}

function speed(one: Decider): AccessSpeed {
  const warm = perSecond(one, work.seconds / 4);
  const decisions = perSecond(one, work.seconds);
  // As many as make garbage of some 16 MiB at 1 KiB each, so that none of it is collected meanwhile.
  const count = Math.max(10, Math.min(16_384, Math.floor(warm / 50)));
  return { decisions, bytesPerDecision: bytesEach(one, count) };
}

function perSecond(one: Decider, seconds: number): number {
  const batch = Math.max(1, Math.ceil(5000 / work.held));
  const start = process.cpuUsage();
  let done = 0;
  for (;;) {
    for (let index = 0; index < batch; index += 1) one(done + index);
    done += batch;
    const { user, system } = process.cpuUsage(start);
    if (user + system >= seconds * 1e6) return (done * 1e6) / (user + system);
  }
}

/** Growth of the heap, whose young generation is larger than it; the median of five, from a collected heap each. */
function bytesEach(one: Decider, count: number): number {
  const grown = Array.from({ length: 5 }, () => {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    for (let index = 0; index < count; index += 1) one(index);
    return (process.memoryUsage().heapUsed - before) / count;
  });
  return grown.sort((a, b) => a - b)[2] ?? 0;
}

const allowed = compare();
const result: AccessAnswer = { ours: speed(ours), reference: speed(reference), allowed };
answer(result);
