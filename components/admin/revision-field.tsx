'use client'

import { useState } from 'react'
import { useFormAnswer } from '@/components/ui/action-form'

/**
 * The revision that the form was filled from. It stays that one while the page is drawn anew around it, so that a change by somebody else is refused
 * also at the second press; only this form's own save moves it on.
 */
export function RevisionField({ revision, name = 'revision' }: { revision: number | undefined; name?: string }) {
  const [first] = useState(revision)
  const { state } = useFormAnswer()
  const [saved, setSaved] = useState<string>()
  if (state.status === 'done' && state.facts.revision && state.facts.revision !== saved) setSaved(state.facts.revision)
  return <input type="hidden" name={name} value={saved ?? first ?? ''} />
}
