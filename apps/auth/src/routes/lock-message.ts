import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { LockSchema, LockTargetSchema, instanceToMessage } from '@tagplane/protocol';
import type { Lock as LockMessage, LockTarget as LockTargetMessage } from '@tagplane/protocol';
import type { Lock, LockTarget } from '../locks/lock.ts';

export function lockMessage({ id, target, message, createdBy, createdAt, expiresAt }: Lock): LockMessage {
  return create(LockSchema, {
    id,
    target: targetMessage(target),
    message,
    createdBy,
    createdAt: timestampFromMs(createdAt),
    ...(expiresAt === undefined ? {} : { expiresAt: timestampFromMs(expiresAt) }),
  });
}

function targetMessage(target: LockTarget): LockTargetMessage {
  switch (target.kind) {
    case 'agent':
      return create(LockTargetSchema, { target: { case: 'agent', value: target.serverId } });
    case 'instance': {
      const value = instanceToMessage(target.instance);
      return create(LockTargetSchema, { target: { case: 'instance', value } });
    }
    case 'identity':
      return create(LockTargetSchema, { target: { case: 'identity', value: target.id } });
  }
}
