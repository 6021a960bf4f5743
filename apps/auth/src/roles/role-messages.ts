import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { diffRoles } from '@tagplane/access';
import {
  ControlStreamResponseSchema,
  RoleChangesSchema,
  RoleSetSchema,
  UpdateRolesSchema,
  accessRoleToMessage,
} from '@tagplane/protocol';
import type { ControlStreamResponse, Signature } from '@tagplane/protocol';
import { ROLES_LIFE_MS } from '@tagplane/session';
import type { RolesChange } from '@tagplane/session';
import type { RoleSet } from './role-sets.ts';

/** A part of an update, written once for all agents. */
interface Written {
  /** Number of the field. */
  readonly no: number;
  readonly wireType: WireType;
  readonly data: Uint8Array;
}

const { replace, apply } = UpdateRolesSchema.field;

/**
 * Updates that lead to one set of roles. What thousands of agents are sent alike is written once for each
 * revision that they come from, and goes along as bytes: a megabyte of roles takes longer to write than all
 * the rest of a push.
 */
export class RoleUpdates {
  readonly set: RoleSet;
  /** By base revision; empty: all of it. */
  readonly #written = new Map<string, Written>();

  constructor(set: RoleSet) {
    this.set = set;
  }

  /**
   * @param base the set of the revision that the change applies to
   * @returns the message, and about how many bytes it takes
   */
  message(
    nonce: string,
    change: RolesChange,
    base: RoleSet | undefined,
    signature: Signature | undefined,
  ): { readonly message: ControlStreamResponse; readonly bytes: number } {
    const value = create(UpdateRolesSchema, {
      nonce,
      revision: this.set.revision,
      remaining: durationFromMs(ROLES_LIFE_MS),
    });
    if (signature !== undefined) value.signature = signature;
    if (change.kind === 'renew') {
      value.change = { case: 'renew', value: { $typeName: 'tagplane.v1.RolesRenewal' } };
      return { message: response(value), bytes: 0 };
    }
    const written = this.#writtenFrom(change.kind === 'apply' ? base : undefined);
    // The encoder writes what it does not know as it stands.
    value.$unknown = [written];
    return { message: response(value), bytes: written.data.byteLength };
  }

  #writtenFrom(base: RoleSet | undefined): Written {
    const key = base?.revision ?? '';
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    const written = base === undefined ? wholeSet(this.set) : difference(base, this.set);
    this.#written.set(key, written);
    return written;
  }
}

function wholeSet({ roles }: RoleSet): Written {
  const set = create(RoleSetSchema, { roles: roles.map(accessRoleToMessage) });
  return written(replace.number, toBinary(RoleSetSchema, set));
}

function difference(base: RoleSet, next: RoleSet): Written {
  const { put, removed } = diffRoles(base.roles, next.roles);
  const changes = create(RoleChangesSchema, {
    baseRevision: base.revision,
    put: put.map(accessRoleToMessage),
    removed: [...removed],
  });
  return written(apply.number, toBinary(RoleChangesSchema, changes));
}

function written(no: number, message: Uint8Array): Written {
  return { no, wireType: WireType.LengthDelimited, data: new BinaryWriter().bytes(message).finish() };
}

function response(value: ReturnType<typeof create<typeof UpdateRolesSchema>>): ControlStreamResponse {
  return create(ControlStreamResponseSchema, { message: { case: 'updateRoles', value } });
}
