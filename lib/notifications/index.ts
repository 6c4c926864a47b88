export { type Fact, queueEmail, sendEmailJob, tellCustomers } from './queue-email'
export { formatSender, isMailAddress, oneLine, type Sender } from './addresses'
export { contrastOf, lighterTone, MAIL_DARK, MAIL_WHITE } from './contrast'
export { liftSuppression, releaseAddress, releaseAddressJob } from './lift-suppression'
export {
  countStopped,
  findStops,
  listCustomerMails,
  listMails,
  listOwnMails,
  listStoppedAddresses,
  type MailFigures,
  mailFigures,
  type MailView,
  type OwnMail,
  type StoppedAddress,
} from './queries'
export { lastHeardAt, type MailEventReceipt, type MailEventTaker, receiveMailEvent } from './receive-mail-event'
export { liftSchema, mailIdSchema, senderSchema } from './schemas'
export { sendEmail, type EmailRenderer } from './send-email'
export { sendMailAgain } from './send-mail-again'
export { sendTestMail } from './send-test-mail'
export { DEFAULT_ACCENT, type MailLook, readSender, senderSettings } from './sender-settings'
export { MAIL_STATES, type MailFailure, type MailState, type SuppressionReason } from './states'
export { liftConfirmed, listStopped, type MailPurpose, suppressAddress } from './suppressions'
export { sweepEmails, sweepEmailsJob } from './sweep-emails'
export { chooseTransport, type TransportInUse, transportInUse } from './transports/choose-transport'
export { BATCH_MAX, type MailMessage, type MailTransport, type SendOutcome } from './transports/transport'
export type { EmailProps, EmailTemplate } from './templates'
export { NOTICE_TYPES, type NoticeType, TEMPLATE_RULES, type TemplateRule } from './template-rules'
