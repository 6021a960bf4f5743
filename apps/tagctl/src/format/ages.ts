import { formatDuration } from '@tagplane/runtime';

/** `12s ago`, for people; `-` for none. A clock ahead of ours shows as now. */
export function ago(time: string | null, now: number): string {
  if (time === null) return '-';
  return `${formatDuration(wholeSeconds(Math.max(0, now - Date.parse(time))))} ago`;
}

/** `in 1h20m`, `expired`, or `never`. */
export function until(time: string | null, now: number): string {
  if (time === null) return 'never';
  const left = Date.parse(time) - now;
  return left <= 0 ? 'expired' : `in ${formatDuration(wholeSeconds(left))}`;
}

function wholeSeconds(ms: number): number {
  return Math.max(1, Math.round(ms / 1_000)) * 1_000;
}
