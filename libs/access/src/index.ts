export { type AccessRole, type AccessRule, type StoredRole } from './role.ts';
