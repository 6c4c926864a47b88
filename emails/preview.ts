import { type CampaignText, personalise, preferencesUrl } from '@/lib/marketing'
import { type EmailTemplate, readSender } from '@/lib/notifications'
import { mailContext } from './context'
import { DARK_QUERY } from './layout'
import { renderCampaign, renderEmail, TEMPLATES } from './render'

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
  return { ...mail, html: inScheme(mail.html, scheme) }
}

/** A campaign as its readers of a language will see it, with a sample name and a way out that leads nowhere. */
export async function renderCampaignPreview(
  text: CampaignText,
  { locale, scheme, name }: { locale: string; scheme: 'light' | 'dark'; name: string },
): Promise<{ subject: string; html: string; text: string }> {
  const { look } = await readSender()
  const mail = personalise(await renderCampaign(text, locale, look), { name, preferencesUrl: preferencesUrl('…') })
  return { ...mail, html: inScheme(mail.html, scheme) }
}

function inScheme(html: string, scheme: 'light' | 'dark'): string {
  return (
    html
      .replaceAll(DARK_QUERY, scheme === 'dark' ? '@media all' : '@media not all')
      .replaceAll('color-scheme: light dark', `color-scheme: ${scheme}`)
      // A link of a sample leads nowhere; pressed in the frame it would only fail.
      .replaceAll(/ href="[^"]*"/g, ' href="#"')
  )
}
