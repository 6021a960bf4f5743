import { NO_LABELS } from '@tagplane/labels';
import type { Environment, Logger } from '@tagplane/runtime';
import type { Clock } from '../clock.ts';
import type { AgentSettings } from '../config.ts';
import { metadataEndpoint } from '../imds.ts';
import type { AgentObserver } from '../observer.ts';
import { CommandLabels } from './command-labels.ts';
import { ImportedLabels } from './imported-labels.ts';
import { StatedLabels } from './stated-labels.ts';

export interface StatedParts {
  readonly settings: AgentSettings;
  readonly env: Environment;
  readonly clock: Clock;
  readonly observer: Pick<AgentObserver, 'commandRan' | 'tagsAsked'>;
  readonly log: Logger;
}

/** Builds only what is configured: one process may run thousands of agents. */
export function composeStated({ settings, env, clock, observer, log }: StatedParts): StatedLabels {
  const { ownLabels = NO_LABELS, commands = [], metadata } = settings;
  const endpoint = metadata === true ? metadataEndpoint(env) : undefined;
  return new StatedLabels(
    ownLabels,
    commands.length === 0
      ? undefined
      : new CommandLabels({
          ...{ commands, clock, log },
          ran: (name, result) => {
            observer.commandRan(name, result);
          },
        }),
    endpoint === undefined
      ? undefined
      : new ImportedLabels({
          ...{ endpoint, clock, log },
          asked: (result) => {
            observer.tagsAsked(result);
          },
        }),
  );
}
