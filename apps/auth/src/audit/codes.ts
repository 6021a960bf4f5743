/**
 * Every code of an audit event, with what it means: one line each, as docs/security.md shows them. Codes
 * are for programs: they are added to and never renamed.
 */
export const AUDIT_CODES: Readonly<Record<string, string>> = {
  'join.ok': 'A process joined the cluster and was given a certificate.',
  'join.refused': 'A process was not let into the cluster, or its join could not be decided.',
  'join.reset': 'An operator made a name or an instance free to be joined anew.',
  'certificate.renewed': 'A peer was given a new certificate for the same identity.',
  'certificate.refused': 'A peer asked for a new certificate and was given none.',
  'connection.refused': 'A connection was refused or cut before any call: its certificate, a lock, a limit.',
  'call.refused': 'A call was refused: this identity, or nobody, may not make it.',
  'agent.instance_mismatch': 'An agent says it is an instance that its certificate does not prove.',
  'agent.refused': 'A control stream was refused: another server id, a malformed message, too many messages.',
  'agent.superseded': 'A newer session of a server id took the place of an older one; one event for each.',
  'lock.added': 'An operator locked a target, or replaced the end or message of its lock.',
  'lock.removed': 'An operator ended a lock.',
  'lock.enforced': 'A live connection was cut because of a lock.',
  'token.added': 'An operator made a join token.',
  'token.removed': 'An operator removed a join token.',
  'ca.created': 'The certificate authority of the cluster was made.',
  'ca.restored':
    'The certificate authority was put back into an emptied store from the copy beside the key file.',
  'ca.rotated': 'A step of a rotation of the certificate authority was taken.',
  'ca.bootstrap': 'Credentials of an operator were made on the host of an auth process.',
  'server_info.upserted': 'ServerInfos were written.',
  'server_info.deleted': 'ServerInfos were deleted.',
  'server_info.refused':
    'ServerInfos were not written, or not deleted: malformed, or not this writer’s to say.',
  'role.put': 'An operator wrote a role: who may log in as whom where.',
  'role.deleted': 'An operator deleted a role.',
  'role.refused': 'A role was not written: malformed, over a limit, or not as its writer expected.',
  'guard.held': 'A change of too many nodes was held until an operator decides.',
  'guard.released': 'An operator let a held change go on.',
  'guard.dropped': 'An operator ended a held change, or whoever had asked for it does not any more.',
  'discovery.fenced': 'A discovery was refused because it does not hold the lease of its group.',
  'enrolment.claimed':
    'A discovery was let enrol instances that no agent speaks for, with join tokens or without.',
  'audit.lost':
    'Audit events were lost here because they could not be written fast enough; count says how many.',
};
