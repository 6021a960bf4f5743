import { describe, expect, it } from '@jest/globals';
import { formatAddress, isLoopback, parseAddress } from './address.ts';

describe('parseAddress', () => {
  it.each([
    ['127.0.0.1:7420', '127.0.0.1', 7420],
    ['0.0.0.0:80', '0.0.0.0', 80],
    [':7420', '127.0.0.1', 7420],
    [':0', '127.0.0.1', 0],
    ['localhost:65535', 'localhost', 65_535],
    ['auth.example.com:7420', 'auth.example.com', 7420],
    ['auth.example.com.:7420', 'auth.example.com.', 7420],
    ['auth_1:7420', 'auth_1', 7420],
    ['1password-host:1', '1password-host', 1],
    ['7.example:1', '7.example', 1],
    ['h:00080', 'h', 80],
    ['[::1]:7420', '::1', 7420],
    ['[::]:0', '::', 0],
    ['[2001:DB8::1]:443', '2001:DB8::1', 443],
    ['[::ffff:10.0.0.1]:1', '::ffff:10.0.0.1', 1],
  ])('reads %s', (text, host, port) => {
    expect(parseAddress(text)).toEqual({ host, port });
  });

  it.each([
    ...['', ':', 'host', 'host:', 'host:x', 'host:-1', 'host:+1', 'host:1.5', 'host:0x50', 'host:65536'],
    ...['host:99999', 'host:123456', 'host: 80', ' host:80', 'host:80 ', 'host:80\n', 'a b:80', 'host:٨٠'],
    ...['::1:80', '2001:db8::1', '[::1]', '[::1]80', '[]:80', '[host]:80', '[127.0.0.1]:80', '[::1:80'],
    ...['[fe80::1%eth0]:80', '[1:2:3]:80', '[[::1]]:80', '::1]:80'],
    ...['999.0.0.1:80', '127.1:80', '127.0.0.1.:80', '1:80', '10.0.0.0.1:80'],
    ...['http://host:80', 'host:80/', 'user@host:80', '-host:80', 'a,b:80', '*:80', 'hö:80'],
  ])('refuses %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

describe('formatAddress', () => {
  it.each(['127.0.0.1:7420', 'auth:1', '[::1]:7420', '[2001:db8::1]:0'])(
    'writes %s as it is read',
    (text) => {
      const address = parseAddress(text);
      expect(address && formatAddress(address)).toBe(text);
    },
  );
});

describe('isLoopback', () => {
  it.each([
    ...['127.0.0.1', '127.255.0.9', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', 'localhost', 'LocalHost'],
  ])('believes %s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each([
    ...['0.0.0.0', '::', '10.0.0.1', '126.255.255.255', '128.0.0.1', '::2', '::ffff:10.0.0.1', ''],
    ...['localhost.example.com', 'ip6-localhost', '127.0.0.1.example.com', '127.1'],
  ])('does not believe %j', (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});
