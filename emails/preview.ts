import { type EmailTemplate, readSender } from '@/lib/notifications'
import { mailContext } from './context'
import { DARK_QUERY } from './layout'
import { renderEmail, TEMPLATES } from './render'

/** Whether there is such a mail. */
export function isTemplate(name: string): name is EmailTemplate {
  return Object.hasOwn(TEMPLATES, name)
}

/** Every template with the subject of its sample, as staff see them in a list. */
export async function listPreviews(locale: string): Promise<{ template: EmailTemplate; subject: string }[]> {
  const context = mailContext(locale, (await readSender()).look)
  return (Object.keys(TEMPLATES) as EmailTemplate[]).toSorted().map((template) => {
    const { subject, preview } = TEMPLATES[template]
    return { template, subject: subject(preview as never, context) }
  })
}

/** A mail with its sample data and the looks of now. `scheme` shows it as a reader sees it whose mail program is light or dark. */
export async function renderPreview(
  template: EmailTemplate,
  { locale, scheme }: { locale: string; scheme: 'light' | 'dark' },
): Promise<{ subject: string; html: string; text: string }> {
  const { look } = await readSender()
  const mail = await renderEmail(template, TEMPLATES[template].preview as never, locale, look)
  const query = scheme === 'dark' ? '@media all' : '@media not all'
  const html = mail.html
    .replaceAll(DARK_QUERY, query)
    .replaceAll('color-scheme: light dark', `color-scheme: ${scheme}`)
    // A link of a sample leads nowhere; pressed in the frame it would only fail.
    .replaceAll(/ href="[^"]*"/g, ' href="#"')
  return { ...mail, html }
}
