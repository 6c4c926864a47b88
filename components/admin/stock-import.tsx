'use client'

import { type ReactNode, useRef } from 'react'
import { useTranslations } from 'next-intl'
import { ActionForm, useFormAnswer } from '@/components/ui/action-form'
import { buttonStyles } from '@/components/ui/button-styles'
import { SelectField, TextAreaField } from '@/components/ui/field'
import { SubmitButton } from '@/components/ui/submit-button'
import type { PreviewRow } from './preview-row'
import type { FormAction } from '@/lib/web'

/**
 * Paste or choose a file, look at what was understood, add it. Both buttons send the same form; which one it was decides the action. The preview is
 * of the text as it was when the button was pressed.
 */
export function StockImport({
  offers,
  preview,
  add,
}: {
  offers: { id: string; text: string }[]
  preview: FormAction
  add: FormAction
}) {
  const say = useTranslations('admin')
  const area = useRef<HTMLDivElement>(null)
  const action = (async (previous: never, formData: FormData) =>
    (formData.get('do') === 'add' ? add : preview)(previous, formData)) as unknown as FormAction
  const readFile = async (file: File | undefined) => {
    const field = area.current?.querySelector('textarea')
    if (file && field) field.value = await file.text()
  }
  return (
    <ActionForm action={action} className="flex flex-col gap-4">
      <SelectField name="offerId" label={say('importOffer')} className="max-w-md">
        {offers.map((offer) => (
          <option key={offer.id} value={offer.id}>
            {offer.text}
          </option>
        ))}
      </SelectField>
      <div ref={area}>
        <TextAreaField
          name="text"
          label={say('importText')}
          rows={10}
          spellCheck={false}
          autoComplete="off"
          className="font-mono text-xs"
          placeholder={'203.0.113.7:8080:login:password\nlogin:password@203.0.113.8:8080'}
          required
        />
      </div>
      <label className="flex flex-col gap-1.5 text-sm font-medium">
        {say('importFile')}
        <input
          type="file"
          accept=".txt,.csv,.json,text/plain,text/csv,application/json"
          className={buttonStyles({ variant: 'secondary', className: 'max-w-md justify-start' })}
          onChange={(event) => void readFile(event.target.files?.[0])}
        />
        <span className="font-normal text-muted">{say('importFileHelp')}</span>
      </label>
      <div className="flex flex-wrap gap-2">
        <SubmitButton name="do" value="preview" variant="secondary">
          {say('importPreview')}
        </SubmitButton>
        <SubmitButton name="do" value="add">
          {say('importButton')}
        </SubmitButton>
      </div>
      <Preview />
    </ActionForm>
  )
}

function Preview(): ReactNode {
  const say = useTranslations('admin')
  const { state } = useFormAnswer()
  if (state.status !== 'done' || !state.facts.preview) return null
  const rows = JSON.parse(state.facts.preview) as PreviewRow[]
  const understood = Number(state.facts.understood)
  const refused = Number(state.facts.refused)
  return (
    <section aria-live="polite" className="rounded-md border">
      <h3 className="border-b bg-sunken px-4 py-2 font-medium">{say('previewTitle', { understood, refused })}</h3>
      {rows.length < understood + refused && (
        <p className="px-4 py-2 text-sm text-muted">
          {say('previewMore', { shown: rows.length, all: understood + refused })}
        </p>
      )}
      <div className="max-h-96 overflow-auto" tabIndex={0} role="region" aria-label={say('previewCaption')}>
        <table className="w-full text-sm">
          <caption className="sr-only">{say('previewCaption')}</caption>
          <thead className="sticky top-0 bg-surface text-left text-xs text-muted">
            <tr>
              <th scope="col" className="px-4 py-2 font-medium">
                {say('lineNumber')}
              </th>
              <th scope="col" className="px-4 py-2 font-medium">
                {say('understoodAs')}
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.lineNumber} className="border-t">
                <td className="px-4 py-1.5 tabular-nums">{row.lineNumber}</td>
                <td className="px-4 py-1.5">
                  {row.problem === null ? (
                    <span className="font-mono text-xs break-all">
                      <span aria-hidden="true" className="text-good">
                        ✓{' '}
                      </span>
                      {row.understoodAs}
                    </span>
                  ) : (
                    <>
                      <span className="font-medium text-bad">
                        <span aria-hidden="true">✕ </span>
                        {say(`problem_${row.problem}`)}
                      </span>{' '}
                      <span className="font-mono text-xs break-all text-muted">{row.text}</span>
                    </>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
