/**
 * Loaded before a program (`node --import`), gives it a clock that is wrong by TAGPLANE_TEST_CLOCK_SHIFT
 * milliseconds. Only what asks for the time of day is changed: timers and the TLS library go by the real one.
 */
const shift = Number(process.env['TAGPLANE_TEST_CLOCK_SHIFT'] ?? 0);
const RealDate = globalThis.Date;

class ShiftedDate extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + shift);
    else super(...parts);
  }

  static now() {
    return RealDate.now() + shift;
  }
}

globalThis.Date = ShiftedDate;
