import type { Locale } from './locales'
import adminEn from '@/messages/en/admin.json'
import adminRu from '@/messages/ru/admin.json'
import adminSettingsEn from '@/messages/en/adminSettings.json'
import adminSettingsRu from '@/messages/ru/adminSettings.json'
import adminReferralsEn from '@/messages/en/adminReferrals.json'
import adminReferralsRu from '@/messages/ru/adminReferrals.json'
import adminSuppliersEn from '@/messages/en/adminSuppliers.json'
import adminSuppliersRu from '@/messages/ru/adminSuppliers.json'
import adminTelegramEn from '@/messages/en/adminTelegram.json'
import adminTelegramRu from '@/messages/ru/adminTelegram.json'
import announcementsEn from '@/messages/en/announcements.json'
import announcementsRu from '@/messages/ru/announcements.json'
import checksEn from '@/messages/en/checks.json'
import checksRu from '@/messages/ru/checks.json'
import commonEn from '@/messages/en/common.json'
import commonRu from '@/messages/ru/common.json'
import consentsEn from '@/messages/en/consents.json'
import consentsRu from '@/messages/ru/consents.json'
import differencesEn from '@/messages/en/differences.json'
import differencesRu from '@/messages/ru/differences.json'
import emailsEn from '@/messages/en/emails.json'
import emailsRu from '@/messages/ru/emails.json'
import exportsEn from '@/messages/en/exports.json'
import exportsRu from '@/messages/ru/exports.json'
import fieldsEn from '@/messages/en/fields.json'
import fieldsRu from '@/messages/ru/fields.json'
import frameEn from '@/messages/en/frame.json'
import frameRu from '@/messages/ru/frame.json'
import homeEn from '@/messages/en/home.json'
import homeRu from '@/messages/ru/home.json'
import legalEn from '@/messages/en/legal.json'
import legalRu from '@/messages/ru/legal.json'
import passwordEn from '@/messages/en/password.json'
import passwordRu from '@/messages/ru/password.json'
import pricesEn from '@/messages/en/prices.json'
import pricesRu from '@/messages/ru/prices.json'
import referralsEn from '@/messages/en/referrals.json'
import referralsRu from '@/messages/ru/referrals.json'
import refusalsEn from '@/messages/en/refusals.json'
import refusalsRu from '@/messages/ru/refusals.json'
import promotionsEn from '@/messages/en/promotions.json'
import promotionsRu from '@/messages/ru/promotions.json'
import proxiesEn from '@/messages/en/proxies.json'
import proxiesRu from '@/messages/ru/proxies.json'
import settingsEn from '@/messages/en/settings.json'
import settingsRu from '@/messages/ru/settings.json'
import signInEn from '@/messages/en/signIn.json'
import signInRu from '@/messages/ru/signIn.json'
import signUpEn from '@/messages/en/signUp.json'
import signUpRu from '@/messages/ru/signUp.json'
import statesEn from '@/messages/en/states.json'
import statesRu from '@/messages/ru/states.json'
import catalogueEn from '@/messages/en/catalogue.json'
import catalogueRu from '@/messages/ru/catalogue.json'
import plannerEn from '@/messages/en/planner.json'
import plannerRu from '@/messages/ru/planner.json'
import policyEn from '@/messages/en/policy.json'
import policyRu from '@/messages/ru/policy.json'
import noticesEn from '@/messages/en/notices.json'
import noticesRu from '@/messages/ru/notices.json'
import ordersEn from '@/messages/en/orders.json'
import ordersRu from '@/messages/ru/orders.json'
import paymentsEn from '@/messages/en/payments.json'
import paymentsRu from '@/messages/ru/payments.json'
import statementEn from '@/messages/en/statement.json'
import statementRu from '@/messages/ru/statement.json'
import mailEn from '@/messages/en/mail.json'
import mailRu from '@/messages/ru/mail.json'
import overviewEn from '@/messages/en/overview.json'
import overviewRu from '@/messages/ru/overview.json'
import papersEn from '@/messages/en/papers.json'
import papersRu from '@/messages/ru/papers.json'
import campaignsEn from '@/messages/en/campaigns.json'
import campaignsRu from '@/messages/ru/campaigns.json'
import marketingEn from '@/messages/en/marketing.json'
import marketingRu from '@/messages/ru/marketing.json'
import verifyEn from '@/messages/en/verify.json'
import verifyRu from '@/messages/ru/verify.json'

const en = {
  admin: adminEn,
  adminSettings: adminSettingsEn,
  adminReferrals: adminReferralsEn,
  adminSuppliers: adminSuppliersEn,
  adminTelegram: adminTelegramEn,
  announcements: announcementsEn,
  checks: checksEn,
  common: commonEn,
  consents: consentsEn,
  differences: differencesEn,
  emails: emailsEn,
  exports: exportsEn,
  fields: fieldsEn,
  frame: frameEn,
  home: homeEn,
  legal: legalEn,
  password: passwordEn,
  prices: pricesEn,
  promotions: promotionsEn,
  proxies: proxiesEn,
  referrals: referralsEn,
  refusals: refusalsEn,
  settings: settingsEn,
  signIn: signInEn,
  signUp: signUpEn,
  states: statesEn,
  catalogue: catalogueEn,
  notices: noticesEn,
  orders: ordersEn,
  planner: plannerEn,
  policy: policyEn,
  payments: paymentsEn,
  statement: statementEn,
  mail: mailEn,
  overview: overviewEn,
  papers: papersEn,
  campaigns: campaignsEn,
  marketing: marketingEn,
  verify: verifyEn,
}

export type Messages = typeof en

/** Russian has the same keys by type here, and the same arguments by test (test/messages.test.ts). */
const ru: Messages = {
  admin: adminRu,
  adminSettings: adminSettingsRu,
  adminReferrals: adminReferralsRu,
  adminSuppliers: adminSuppliersRu,
  adminTelegram: adminTelegramRu,
  announcements: announcementsRu,
  checks: checksRu,
  common: commonRu,
  consents: consentsRu,
  differences: differencesRu,
  emails: emailsRu,
  exports: exportsRu,
  fields: fieldsRu,
  frame: frameRu,
  home: homeRu,
  legal: legalRu,
  password: passwordRu,
  prices: pricesRu,
  promotions: promotionsRu,
  proxies: proxiesRu,
  referrals: referralsRu,
  refusals: refusalsRu,
  settings: settingsRu,
  signIn: signInRu,
  signUp: signUpRu,
  states: statesRu,
  catalogue: catalogueRu,
  notices: noticesRu,
  orders: ordersRu,
  planner: plannerRu,
  policy: policyRu,
  payments: paymentsRu,
  statement: statementRu,
  mail: mailRu,
  overview: overviewRu,
  papers: papersRu,
  campaigns: campaignsRu,
  marketing: marketingRu,
  verify: verifyRu,
}

/** Every text of the product, by language and namespace. A new namespace is a file per language and a line each here. */
export const MESSAGES: Record<Locale, Messages> = { en, ru }
