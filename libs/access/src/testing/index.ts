export { referenceDecide, type PlainDecision } from './reference.ts';
