/** Everyone who signs in has exactly one role. */
export const ROLES = ['customer', 'owner', 'admin', 'finance', 'support', 'auditor'] as const
export type Role = (typeof ROLES)[number]

/**
 * What staff may do, and which roles may. One table, used to check, to show and to test. A customer is in no row: a customer's right
 * to what is theirs comes from being its owner, not from a permission.
 */
export const PERMISSIONS = {
  'customers.read': {
    description: 'See customers, their balances and what they hold',
    roles: ['owner', 'admin', 'finance', 'support', 'auditor'],
  },
  'catalog.write': { description: 'Change products, plans, prices and offers', roles: ['owner', 'admin'] },
  'stock.import': { description: 'Add proxies to our own stock', roles: ['owner', 'admin'] },
  'suppliers.write': {
    description: 'Switch suppliers on and off, keep their keys, and decide about purchases nobody knows the end of',
    roles: ['owner', 'admin'],
  },
  'payments.read': {
    description: 'See payments and what providers told us',
    roles: ['owner', 'admin', 'finance', 'support', 'auditor'],
  },
  'payments.review': { description: 'Decide about payments that wait for a person', roles: ['owner', 'finance'] },
  'payments.refund': { description: 'Give top-ups back to their source', roles: ['owner', 'finance'] },
  'payments.providers': {
    description: 'Switch ways to pay on and off, and keep their keys',
    roles: ['owner', 'admin'],
  },
  'referrals.read': {
    description: 'See rewards, payouts and who brought whom',
    roles: ['owner', 'admin', 'finance', 'support', 'auditor'],
  },
  'referrals.decide': {
    description: 'Pay rewards out, and decide whether somebody was really referred',
    roles: ['owner', 'finance'],
  },
  'referrals.rules': { description: 'Change what referrals earn and how they are paid out', roles: ['owner', 'admin'] },
  'promotions.write': {
    description: 'Make codes and vouchers, and see what came of them',
    roles: ['owner', 'admin', 'finance'],
  },
  'announcements.write': {
    description: 'Announce news, changes and maintenance, and take them back',
    roles: ['owner', 'admin', 'support'],
  },
  'settings.write': { description: 'Change the rules and limits of the shop', roles: ['owner', 'admin'] },
  'orders.read': {
    description: 'See orders and their deliveries',
    roles: ['owner', 'admin', 'finance', 'support', 'auditor'],
  },
  'orders.check': { description: 'Have proxies of customers checked again', roles: ['owner', 'admin', 'support'] },
  'jobs.retry': { description: 'See failed jobs and send them again', roles: ['owner', 'admin'] },
  'mail.read': {
    description: 'See which mails were sent, what became of them, and which addresses get none',
    roles: ['owner', 'admin', 'support', 'auditor'],
  },
  'mail.write': {
    description: 'Send mails again, and let an address get mail again',
    roles: ['owner', 'admin', 'support'],
  },
  'marketing.write': {
    description: 'Write campaigns, and send them to those who agreed to them',
    roles: ['owner', 'admin'],
  },
  'marketing.withdraw': {
    description: 'Note that a customer wants no marketing any more',
    roles: ['owner', 'admin', 'support'],
  },
  'audit.read': { description: 'Read the record of who did what', roles: ['owner', 'auditor'] },
} as const satisfies Record<string, { description: string; roles: readonly Role[] }>

export type Permission = keyof typeof PERMISSIONS

/** Whether the text names a role. A row with any other text in it has no rights at all. */
export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text)
}

/** Whether this role may do this. An unknown role or an unknown permission may not. */
export function isAllowed(role: string, permission: string): boolean {
  if (!isRole(role) || !Object.hasOwn(PERMISSIONS, permission)) return false
  return (PERMISSIONS[permission as Permission].roles as readonly Role[]).includes(role)
}

/** Whether the role belongs to staff, that is, may do at least one thing in the admin. */
export function isStaff(role: string): boolean {
  return Object.keys(PERMISSIONS).some((permission) => isAllowed(role, permission))
}
