import type { Extension } from '../extension.ts';
import { createJsonService } from '../json-service.ts';
import type { Service } from '../service.ts';
import { sqsActions } from './actions.ts';
import type { Queues } from './queues.ts';

/** The codes that SQS had in its older protocol: boto3 and others still go by them. */
const OLD_CODES: Readonly<Record<string, string>> = {
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  EmptyBatchRequest: 'AWS.SimpleQueueService.EmptyBatchRequest',
  TooManyEntriesInBatchRequest: 'AWS.SimpleQueueService.TooManyEntriesInBatchRequest',
  BatchEntryIdsNotDistinct: 'AWS.SimpleQueueService.BatchEntryIdsNotDistinct',
  MessageNotInflight: 'AWS.SimpleQueueService.MessageNotInflight',
};

/** SQS: standard queues, with long polling, visibility timeouts and dead letter queues. */
export function createSqs(queues: Queues): Extension {
  const stop = new AbortController();
  const json = createJsonService({
    name: 'sqs',
    target: 'AmazonSQS',
    version: '1.0',
    errorNamespace: 'com.amazonaws.sqs',
    actions: sqsActions(queues),
  });
  const service: Service = {
    ...json,
    handle: (request, signal) => json.handle(request, AbortSignal.any([signal, stop.signal])),
    errorBody: (error, requestId) => {
      const answer = json.errorBody(error, requestId);
      const code = OLD_CODES[error.code] ?? error.code;
      return { ...answer, headers: { ...answer.headers, 'x-amzn-query-error': `${code};Sender` } };
    },
  };
  return {
    service,
    routes: new Map([
      [
        'GET sqs queues',
        () => ({
          queues: queues.all().map((queue) => {
            const { region, account, name } = queue;
            return { region, account, name, ...queue.counts(Date.now()) };
          }),
        }),
      ],
    ]),
    reset: () => {
      queues.clear();
    },
    close: () => {
      stop.abort();
    },
  };
}
