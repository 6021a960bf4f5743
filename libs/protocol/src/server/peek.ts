import type { Socket } from 'node:net';

/** The first bytes of an HTTP/2 client (RFC 9113, 3.4); no HTTP/1.1 method begins like this. */
export const HTTP2_PREFACE = 'PRI';

/**
 * Waits for as many bytes as `HTTP2_PREFACE` has, puts them back, and hands them on.
 *
 * @param onNone called instead when the connection ends, or `ms` pass, without them
 */
export function peek(
  socket: Socket,
  options: { readonly ms: number; readonly onNone: () => void },
  onFirst: (first: string) => void,
): void {
  const giveUp = (): void => {
    settle();
    options.onNone();
  };
  const timer = setTimeout(giveUp, options.ms);
  const onReadable = (): void => {
    const first = socket.read(HTTP2_PREFACE.length) as Buffer | null;
    if (first === null) return;
    settle();
    socket.unshift(first);
    onFirst(first.toString('latin1'));
  };
  const settle = (): void => {
    clearTimeout(timer);
    socket.off('readable', onReadable).off('end', giveUp).off('error', giveUp).off('close', settle);
  };
  socket.on('readable', onReadable).on('end', giveUp).on('error', giveUp).on('close', settle);
}
