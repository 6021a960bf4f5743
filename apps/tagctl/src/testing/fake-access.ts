import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import { Code, ConnectError } from '@connectrpc/connect';
import {
  AuditService,
  JoinRecordService,
  JoinTokenSchema,
  LockSchema,
  LockService,
  TokenService,
} from '@tagplane/protocol';
import type {
  AddLockRequest,
  AddTokenRequest,
  JoinRecord,
  JoinToken,
  Lock,
  ResetJoinRequest,
  TailAuditRequest,
  TailAuditResponse,
} from '@tagplane/protocol';
import { NOW } from './capture.ts';

/** Plays one call of TailAudit: yields answers, then returns (the stream ends) or throws. */
export type AuditScript = (request: TailAuditRequest) => AsyncIterable<TailAuditResponse>;

export const FAKE_PIN = `sha256:${'0a'.repeat(32)}`;
export const FAKE_TOKEN = 'tagplane-fake-secret';

/** Tokens, locks, join records and the audit of a FakeAuth. */
export class FakeAccess {
  tokens: JoinToken[] = [];
  locks: Lock[] = [];
  joins: JoinRecord[] = [];
  /** One for each call of TailAudit, in order; the last is used again. */
  audits: AuditScript[] = [];
  readonly addedTokens: AddTokenRequest[] = [];
  /** Ids, whether or not there was such a token. */
  readonly removedTokens: string[] = [];
  readonly addedLocks: AddLockRequest[] = [];
  readonly resets: ResetJoinRequest['subject'][] = [];
  readonly tails: TailAuditRequest[] = [];

  routes(router: ConnectRouter, note: (context: HandlerContext) => void): void {
    router.service(TokenService, {
      addToken: (request, context) => {
        note(context);
        this.addedTokens.push(request);
        return { token: this.#token(request), secretToken: FAKE_TOKEN, caPins: [FAKE_PIN] };
      },
      listTokens: (_request, context) => {
        note(context);
        return { tokens: this.tokens };
      },
      removeToken: ({ id }, context) => {
        note(context);
        this.removedTokens.push(id);
        return { removed: this.tokens.some((token) => token.id === id) };
      },
    });
    router.service(LockService, {
      addLock: (request, context) => {
        note(context);
        this.addedLocks.push(request);
        return { lock: fakeLock(request) };
      },
      listLocks: (_request, context) => {
        note(context);
        return { locks: this.locks };
      },
      removeLock: ({ id }, context) => {
        note(context);
        return { removed: this.locks.some((lock) => lock.id === id) };
      },
    });
    router.service(JoinRecordService, {
      listJoins: (_request, context) => {
        note(context);
        return { joins: this.joins };
      },
      resetJoin: ({ subject }, context) => {
        note(context);
        this.resets.push(subject);
        return { reset: this.joins.length > 0 };
      },
    });
    router.service(AuditService, {
      tailAudit: (request, context) => {
        note(context);
        const script = this.audits[Math.min(this.tails.length, this.audits.length - 1)];
        this.tails.push(request);
        if (script === undefined) throw new ConnectError('no audit', Code.Unimplemented);
        return script(request);
      },
    });
  }

  #token({ role, name, awsInstance, uses }: AddTokenRequest): JoinToken {
    return create(JoinTokenSchema, {
      id: 'id1',
      role,
      name,
      ...(awsInstance === undefined ? {} : { awsInstance }),
      usesLeft: uses || 1,
      expiresAt: timestampFromMs(NOW + 3_600_000),
      createdBy: 'operator/tester',
    });
  }
}

export function fakeLock({ target, message, ttl }: Pick<AddLockRequest, 'target' | 'message' | 'ttl'>): Lock {
  return create(LockSchema, {
    id: 'agent:web-1',
    ...(target === undefined ? {} : { target }),
    message,
    ...(ttl === undefined ? {} : { expiresAt: timestampFromMs(NOW + Number(ttl.seconds) * 1_000) }),
    createdBy: 'operator/tester',
    createdAt: timestampFromMs(NOW),
  });
}
