import { createStatementSigner, labelsStatement, rolesStatement } from '@tagplane/credentials';
import type { SignedStatement, StatementSigner } from '@tagplane/credentials';
import type { TestAuthority, TestCertificateOptions } from '@tagplane/protocol/testing';
import type { HeldLifetime } from '@tagplane/session';

const OTHERS = [Buffer.from('one'), Buffer.from('two')];

/** Signs as an auth process does: labels together with what others are told, roles alone. */
export class FakeSigner {
  readonly cluster: string;
  readonly #signer: StatementSigner;

  private constructor(cluster: string, signer: StatementSigner) {
    this.cluster = cluster;
    this.#signer = signer;
  }

  /** @param as another certificate than an auth process has */
  static async create(
    authority: TestAuthority,
    as: Partial<TestCertificateOptions> = {},
  ): Promise<FakeSigner> {
    const issued = await authority.issue({ role: 'auth', name: 'auth-1', ...as });
    return new FakeSigner(authority.cluster, createStatementSigner(issued));
  }

  labels(
    serverId: string,
    revision: string,
    lifetimes: ReadonlyMap<string, HeldLifetime>,
    issuedAt = Date.now(),
  ): SignedStatement {
    const { cluster } = this;
    const statement = labelsStatement({ cluster, serverId, revision, issuedAt, lifetimes });
    // Together with others, as in a fleet.
    return this.#signer.signBatch([statement, ...OTHERS])[0] ?? this.#signer.sign(statement);
  }

  roles(revision: string, remainingMs: number, issuedAt = Date.now()): SignedStatement {
    const { cluster } = this;
    return this.#signer.sign(rolesStatement({ cluster, revision, issuedAt, remainingMs }));
  }
}
