import { expect, it } from 'vitest'
import { isAllowed, isStaff, PERMISSIONS, ROLES } from './permissions'

it('refuses an unknown role, an unknown permission, and names that every object has', () => {
  expect(isAllowed('owner', 'customers.read')).toBe(true)
  expect(isAllowed('king', 'customers.read')).toBe(false)
  expect(isAllowed('owner', 'customers.delete')).toBe(false)
  for (const name of ['constructor', '__proto__', 'toString']) {
    expect(isAllowed(name, 'customers.read')).toBe(false)
    expect(isAllowed('owner', name)).toBe(false)
  }
})

it('gives a customer no permission, and every other role at least one', () => {
  for (const permission of Object.keys(PERMISSIONS)) expect(isAllowed('customer', permission)).toBe(false)
  expect(ROLES.filter(isStaff)).toEqual(ROLES.filter((role) => role !== 'customer'))
})
