'use server'

import { headers } from 'next/headers'
import { redirect } from 'next/navigation'
import { translator } from '@/i18n/translator'
import {
  emailOnlySchema,
  noteMarks,
  requestPasswordReset,
  requestVerification,
  resetPassword,
  resetPasswordSchema,
  signInSchema,
  signUp,
  signUpSchema,
  verifyCredentials,
  verifyEmail,
  verifyEmailSchema,
} from '@/lib/identity'
import { accepted, refused } from '@/lib/kit'
import { recordSignUpChoice } from '@/lib/marketing'
import { attributeSignUp, findLink, type Via } from '@/lib/referrals'
import {
  forgetNextPath,
  forgetReferral,
  hasChosenLocale,
  LOCALE_COOKIE,
  publicAction,
  rememberedReferral,
  rememberNextPath,
  rememberPreference,
  safePath,
  startSession,
  visitOf,
} from '@/lib/web'
import { consentStatements } from '@/components/identity/consent-statements'
import { isLocale } from '@/i18n/locales'

export const signUpAction = publicAction(signUpSchema, async (input, { locale }) => {
  const remembered = await rememberedReferral()
  const typed = input.invitation.toUpperCase()
  if (typed && !remembered && !(await findLink(typed))) return refused('referral_code_unknown')
  const touches: { via: Via; code: string }[] = []
  if (remembered) touches.push({ via: 'cookie', code: remembered })
  if (typed) touches.push({ via: typed === input.ref?.toUpperCase() ? 'address' : 'typed', code: typed })
  const visit = visitOf(await headers())
  const result = await signUp(
    {
      email: input.email,
      username: input.username,
      password: input.password,
      locale,
      statements: consentStatements(locale),
    },
    undefined,
    async (tx, { userId, email, now }) => {
      await noteMarks(userId, { visit, email }, tx)
      await attributeSignUp(tx, { userId }, touches)
      await recordSignUpChoice(tx, { userId, now }, { isTicked: input.marketing, locale, visit })
    },
  )
  if (!result.ok) return result
  await forgetReferral()
  if (input.next) await rememberNextPath(input.next)
  redirect('/verify')
})

export const signInAction = publicAction(signInSchema, async (input) => {
  const who = await verifyCredentials(input.login, input.password)
  if (!who.ok) return who
  const user = await startSession(who.value.userId)
  if (user) await noteMarks(user.id, { visit: visitOf(await headers()) })
  // Suspended in this very moment: as if it had been a moment earlier.
  if (!user) return refused('credentials_refused')
  if (isLocale(user.locale) && !(await hasChosenLocale())) await rememberPreference(LOCALE_COOKIE, user.locale)
  await forgetNextPath()
  redirect(safePath(input.next))
})

export const verifyEmailAction = publicAction(verifyEmailSchema, async ({ token }) => {
  const result = await verifyEmail(token)
  if (!result.ok) return result
  redirect('/sign-in?notice=verified')
})

export const requestVerificationAction = publicAction(emailOnlySchema, async ({ email }, { locale }) => {
  await requestVerification(email)
  return accepted({ message: translator(locale, 'verify')('againDone') })
})

export const requestPasswordResetAction = publicAction(emailOnlySchema, async ({ email }, { locale }) => {
  await requestPasswordReset(email)
  return accepted({ message: translator(locale, 'password')('sent') })
})

export const resetPasswordAction = publicAction(resetPasswordSchema, async (input) => {
  const result = await resetPassword(input)
  if (!result.ok) return result
  redirect('/sign-in?notice=reset')
})
