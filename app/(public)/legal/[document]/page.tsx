import type { Metadata } from 'next'
import { getFormatter, getLocale, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { LEGAL_DOCUMENTS } from '@/components/frame/site-frame'
import { Code } from '@/components/ui/table'
import { MESSAGES } from '@/i18n/messages'
import { TERMS_DATE, TERMS_VERSION } from '@/lib/identity'

type Props = { params: Promise<{ document: string }> }

async function find({ params }: Props) {
  const { document } = await params
  const name = LEGAL_DOCUMENTS.find((known) => known === document)
  if (!name) notFound()
  return { name, text: MESSAGES[await getLocale()].legal[name] }
}

export async function generateMetadata(props: Props): Promise<Metadata> {
  return { title: (await find(props)).text.title }
}

export default async function LegalPage(props: Props) {
  const [{ name, text }, say, frame, format] = await Promise.all([
    find(props),
    getTranslations('legal'),
    getTranslations('frame'),
    getFormatter(),
  ])
  const date = format.dateTime(new Date(`${TERMS_DATE}T12:00:00Z`), { dateStyle: 'long', timeZone: 'UTC' })
  return (
    <article className="max-w-2xl">
      <h1 className="text-xl font-semibold tracking-tight">{text.title}</h1>
      <p className="mt-2 text-lg text-muted">{text.summary}</p>
      <p className="mt-2 text-sm text-muted">{say('version', { version: TERMS_VERSION, date })}</p>
      {text.sections.map((section) => (
        <section key={section.heading} className="mt-8">
          <h2 className="text-lg font-semibold">{section.heading}</h2>
          {section.paragraphs.map((paragraph) => (
            <p key={paragraph} className="mt-3">
              {withNames(paragraph)}
            </p>
          ))}
        </section>
      ))}
      <nav aria-label={say('other')} className="mt-12 border-t pt-4 text-sm">
        <ul className="flex flex-wrap gap-x-5 gap-y-1">
          {LEGAL_DOCUMENTS.filter((other) => other !== name).map((other) => (
            <li key={other}>
              <Link href={`/legal/${other}`} className="inline-block py-1 text-accent underline">
                {frame(other)}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
    </article>
  )
}

/** Names between backticks are set in the mono face. */
function withNames(paragraph: string) {
  return paragraph.split('`').map((part, index) => (index % 2 === 1 ? <Code key={index}>{part}</Code> : part))
}
