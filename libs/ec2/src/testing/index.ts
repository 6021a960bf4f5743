export {
  fakeInstance,
  fakeRegion,
  fakeScanner,
  type FakeDescribe,
  type FakeInstanceParts,
  type FakeScanner,
  type FakeScript,
  type FakeStep,
} from './fake-scanner.ts';
export { startMoto, type Moto } from './moto.ts';
export { motoCommand } from './moto-install.ts';
