/** Largest message either side reads or writes: 4 MiB, gRPC's own default. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** The header in which a peer without a certificate says who it is: `role/name`. */
export const PEER_HEADER = 'tagplane-peer';
