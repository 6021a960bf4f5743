import { eventsSuite } from '/work/main/tools/bench/src/suites/events-debug.ts';
console.log(JSON.stringify(await eventsSuite({ runs: 1 }), null, 1));
