export { queueEmail, sendEmailJob } from './queue-email'
export { sendEmail, type EmailRenderer } from './send-email'
export type { EmailProps, EmailTemplate } from './templates'
