import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createRouterTransport } from '@connectrpc/connect';
import type { Transport } from '@connectrpc/connect';
import { instanceKeyText } from '@tagplane/identity';
import type { InstanceKey } from '@tagplane/identity';
import {
  DiscoveryService,
  EnrolmentClaimStatus,
  EnrolmentState,
  instanceFromMessage,
  instanceToMessage,
} from '@tagplane/protocol';
import type { AwsInstance, EnrolmentRecord } from '@tagplane/protocol';

/** An auth service of one process, in memory, as far as enrolment asks it. */
export class FakeEnrolments {
  readonly agents = new Map<string, InstanceKey>();
  readonly records = new Map<string, EnrolmentRecord>();
  /** Instances that another attempt has. */
  readonly taken = new Set<string>();
  /** Every claim that was given, in order. */
  readonly claimed: string[] = [];
  /** Every list of records that was written down. */
  readonly written: (readonly EnrolmentRecord[])[] = [];
  /** While set, every call fails with it. */
  outage: Code | undefined;

  get transport(): Transport {
    return createRouterTransport(({ service }) => {
      service(DiscoveryService, {
        listAgentInstances: () => {
          this.#check();
          return { instances: [...this.agents.values()].map(instanceToMessage) };
        },
        listInstances: ({ states }) => {
          this.#check();
          const chosen = [...this.records.values()].filter(({ state }) => states.includes(state));
          return { instances: chosen.map((enrolment) => ({ enrolment, serverIds: [], origin: '' })) };
        },
        claimEnrolments: ({ instances, withTokens }) => {
          this.#check();
          return { claims: instances.map((instance) => this.#claim(textOf(instance), withTokens)) };
        },
        recordEnrolments: ({ records, removed }) => {
          this.#check();
          this.written.push(records);
          const recordedAt = timestampFromMs(Date.now());
          for (const record of records) this.records.set(textOf(record.instance), { ...record, recordedAt });
          for (const instance of removed) this.records.delete(textOf(instance));
          return {};
        },
      });
    });
  }

  /** What is on record: `STATE reason`. */
  stateOf(key: InstanceKey): string {
    const record = this.records.get(instanceKeyText(key));
    if (record === undefined) return 'nothing';
    const state = Object.entries(EnrolmentState).find(([, number]) => number === record.state)?.[0] ?? '';
    return `${state} ${record.reason}`.trim();
  }

  #check(): void {
    if (this.outage !== undefined) throw new ConnectError('out of order', this.outage);
  }

  #claim(id: string, withTokens: boolean) {
    const refused = (status: EnrolmentClaimStatus, reason: string) => ({ status, reason, token: '' });
    if (this.agents.has(id)) return refused(EnrolmentClaimStatus.HAS_AGENT, 'a node speaks for it already');
    if (this.taken.has(id)) return refused(EnrolmentClaimStatus.TAKEN, 'another attempt has it');
    this.claimed.push(id);
    const token = withTokens ? `token_of_${id.slice(id.lastIndexOf('/') + 1)}` : '';
    return { status: EnrolmentClaimStatus.CLAIMED, reason: '', token };
  }
}

function textOf(message: AwsInstance | undefined): string {
  const key = message && instanceFromMessage(message);
  if (key === undefined) throw new ConnectError('a malformed instance', Code.InvalidArgument);
  return instanceKeyText(key);
}
