import { AwsError } from '../aws-error.ts';
import type { ControlRoute, Extension } from '../extension.ts';
import type { ImdsControl } from './imds-control.ts';
import type { ImdsSettings } from './metadata.ts';

type Body = Readonly<Record<string, unknown>>;

/** Instance metadata by the control API: settings, and a port for an instance. */
export function createImds(control: ImdsControl): Extension {
  return {
    routes: new Map<string, ControlRoute>([
      [
        'PATCH imds * *',
        ({ parts, query, body }) => {
          control.set(refOf(parts, query), settingsOf(body));
          return {};
        },
      ],
      [
        'POST imds * *',
        async ({ parts, query, body }) => {
          const { hops = 1 } = body;
          if (typeof hops !== 'number') throw new AwsError('BadRequest', 'hops: a number');
          const { url } = await control.listen(refOf(parts, query), hops);
          return { url };
        },
      ],
    ]),
    reset: () => {
      control.reset();
    },
    close: () => {
      control.close();
    },
  };
}

function refOf([, region = '', id = '']: readonly string[], query: URLSearchParams) {
  return { region, id, account: query.get('account') ?? undefined };
}

function settingsOf({ mode, tags, hop_limit: hopLimit }: Body): Partial<ImdsSettings> {
  if (mode !== undefined && mode !== 'on' && mode !== 'off') throw bad('mode: on or off');
  if (tags !== undefined && typeof tags !== 'boolean') throw bad('tags: true or false');
  if (hopLimit !== undefined && typeof hopLimit !== 'number') throw bad('hop_limit: a number');
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(tags === undefined ? {} : { tags }),
    ...(hopLimit === undefined ? {} : { hopLimit }),
  };
}

function bad(message: string): AwsError {
  return new AwsError('BadRequest', message);
}
