import preset from '../../jest.preset.mjs';

// A day of virtual time, or a hundred thousand instances, take a while on a busy machine.
export default { ...preset, displayName: 'discovery', testTimeout: 300_000 };
