import { userInfo } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { userGroupId, userId } from './user.ts';

const never = new AbortController().signal;

describe('a user of this machine', () => {
  it('has the numbers that the system says', async () => {
    const { username, uid, gid } = userInfo();
    expect(await userId(username, never)).toBe(uid);
    expect(await userGroupId(username, never)).toBe(gid);
  });

  it('is there or not', async () => {
    expect(await userId('no-such-user', never)).toBeUndefined();
    expect(await userId('--help', never)).toBeUndefined();
    await expect(userId('root', AbortSignal.abort())).rejects.toThrow();
  });
});
