import { db, inTransaction, Prisma, type Tx } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { builtInWriter, isBuiltIn } from './formats'
import { compileTemplate, type TemplateKind, type TemplateRefusal, type Writer } from './template'

/** More than anybody can tell apart in a list. */
export const TEMPLATES_MAX = 30

const templateSelect = { id: true, name: true, kind: true, text: true } as const
export type ExportTemplateView = { id: string; name: string; kind: TemplateKind; text: string }

/** Somebody's own templates, by name. */
export async function listTemplates({ userId }: { userId: string }): Promise<ExportTemplateView[]> {
  const rows = await db().exportTemplate.findMany({
    where: { userId },
    orderBy: { name: 'asc' },
    select: templateSelect,
  })
  return rows as ExportTemplateView[]
}

/** What customers change at once stands in line, so that a limit holds. */
export async function lockExports(tx: Tx, userId: string): Promise<void> {
  await tx.$queryRaw(Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended('exports:' || ${userId}, 0))::text`)
}

export type SaveTemplateRefusal = TemplateRefusal | Refusal<'not_found' | 'template_name_taken' | 'too_many_templates'>

/**
 * Keeps a template, new or over the one named. Refuses what `compileTemplate` refuses, `template_name_taken`, `too_many_templates` (30), and
 * `not_found` for one that is gone or somebody else's.
 */
export async function saveTemplate(
  actor: { id: string },
  input: { templateId?: string; name: string; kind: TemplateKind; text: string },
): Promise<Result<{ templateId: string }, SaveTemplateRefusal>> {
  const { name, kind, text } = input
  const compiled = compileTemplate(kind, text)
  if (!compiled.ok) return compiled
  return inTransaction<{ templateId: string }, SaveTemplateRefusal>(async (tx) => {
    await lockExports(tx, actor.id)
    const others = await tx.exportTemplate.findMany({
      where: { userId: actor.id, NOT: { id: input.templateId ?? '' } },
      select: { name: true },
    })
    if (others.some((other) => other.name === name)) return refused('template_name_taken')
    if (input.templateId === undefined) {
      if (others.length >= TEMPLATES_MAX) return refused('too_many_templates', { maximum: TEMPLATES_MAX })
      const templateId = newId('tpl')
      await tx.exportTemplate.create({
        data: { id: templateId, userId: actor.id, name, kind, text },
        select: { id: true },
      })
      return accepted({ templateId })
    }
    const { count } = await tx.exportTemplate.updateMany({
      where: { id: input.templateId, userId: actor.id },
      data: { name, kind, text, updatedAt: new Date() },
    })
    return count === 1 ? accepted({ templateId: input.templateId }) : refused('not_found')
  })
}

/** Removes a template. Refuses `not_found`, and `template_in_use` while a feed is written by it. */
export async function removeTemplate(
  actor: { id: string },
  { templateId }: { templateId: string },
): Promise<Result<null, Refusal<'not_found' | 'template_in_use'>>> {
  return inTransaction<null, Refusal<'not_found' | 'template_in_use'>>(async (tx) => {
    await lockExports(tx, actor.id)
    const feeds = await tx.feed.count({ where: { userId: actor.id, templateId, revokedAt: null } })
    if (feeds > 0) return refused('template_in_use', { feeds })
    const { count } = await tx.exportTemplate.deleteMany({ where: { id: templateId, userId: actor.id } })
    return count === 1 ? accepted(null) : refused('not_found')
  })
}

/** The writer of a format or of one of somebody's templates; null for what is neither. */
export async function findWriter(userId: string, choice: string): Promise<Writer | null> {
  if (isBuiltIn(choice)) return builtInWriter(choice, checkTarget())
  const template = await db().exportTemplate.findFirst({ where: { id: choice, userId }, select: templateSelect })
  if (!template) return null
  const compiled = compileTemplate(template.kind as TemplateKind, template.text)
  return compiled.ok ? compiled.value : null
}

/** The address that a curl command asks for: a page of ours that answers anybody. */
function checkTarget(): string {
  return new URL('/api/health', env().PUBLIC_URL).href
}
