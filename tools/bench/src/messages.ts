import { create } from '@bufbuild/protobuf';
import {
  AgentHelloSchema,
  ControlStreamRequestSchema,
  ControlStreamResponseSchema,
  instanceToMessage,
  labelsToMessage,
} from '@tagplane/protocol';
import type { ControlStreamRequest, ControlStreamResponse } from '@tagplane/protocol';
import type { InstanceKey } from '@tagplane/identity';
import { instanceNumber, labelsOf } from './fleet.ts';

export function serverIdOf(index: number): string {
  return `bench-${index}`;
}

/** @param instance default: that of `instanceNumber` */
export function agentHello(
  index: number,
  instance: InstanceKey = instanceNumber(index),
): ControlStreamRequest {
  const hello = create(AgentHelloSchema, {
    serverId: serverIdOf(index),
    version: 'bench',
    heartbeat: { hostname: `host-${index}`, awsInstance: instanceToMessage(instance) },
    takesBatches: true,
  });
  return create(ControlStreamRequestSchema, { message: { case: 'hello', value: hello } });
}

export function labelsAck(nonce: string): ControlStreamRequest {
  return create(ControlStreamRequestSchema, { message: { case: 'labelsAck', value: { nonce } } });
}

export function authHello(): ControlStreamResponse {
  return create(ControlStreamResponseSchema, {
    message: { case: 'hello', value: { authId: 'bench', version: 'bench' } },
  });
}

export function updateLabels(index: number, generation: number): ControlStreamResponse {
  const sets = [{ namespace: 'aws/', labels: labelsToMessage(labelsOf(index, generation)) }];
  return create(ControlStreamResponseSchema, {
    message: {
      case: 'updateLabels',
      value: {
        nonce: `${generation}-${index}`,
        revision: String(generation).padStart(32, '0'),
        change: { case: 'replace', value: { sets } },
      },
    },
  });
}
