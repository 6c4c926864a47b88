import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { createAccount, emailSchema, grantRole, ROLES, usernameSchema } from '@/lib/identity'

/**
 * The first owner of a shop, and any other member of staff: `npm run staff -- --email you@example.com --username you [--role owner]`. A new account gets a
 * random password, shown once; an address that has an account gets the role.
 */
const { values } = parseArgs({
  options: { email: { type: 'string' }, username: { type: 'string' }, role: { type: 'string' } },
})
const parsed = z
  .object({ email: emailSchema, username: usernameSchema.optional(), role: z.enum(ROLES).default('owner') })
  .safeParse(values)
if (!parsed.success) {
  console.error(`Use: npm run staff -- --email you@example.com --username you [--role ${ROLES.join('|')}]`)
  process.exit(1)
}
const { email, username, role } = parsed.data
const granted = await grantRole({ email, role })
if (granted.ok) {
  console.log(`${email} has the role ${role} now, and has to sign in anew.`)
} else if (!username) {
  console.error(`${email} has no account; name a username to make one.`)
  process.exit(1)
} else {
  const password = randomBytes(15).toString('base64url')
  const made = await createAccount({ email, username, password, role })
  if (!made.ok) {
    console.error(
      made.refusal.code === 'username_taken'
        ? `The username ${username} is taken.`
        : `${email} has an account already.`,
    )
    process.exit(1)
  }
  console.log(`${email} can sign in as ${username} (${role}). The password, shown once: ${password}`)
}
process.exit(0)
