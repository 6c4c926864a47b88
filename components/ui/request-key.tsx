'use client'

import { useEffect, useState } from 'react'
import { useFormAnswer } from './action-form'

/** Keys that were sent from this page. Going back shows a form from memory, with the key it had: what is bought then is a new thing. */
const sent = new Set<string>()

/** The key of a form that must act once however often it is pressed. Inside an ActionForm; `value` comes from the server, one per form shown. */
export function RequestKey({ value }: { value: string }) {
  const { state, isPending } = useFormAnswer()
  const [key, setKey] = useState(() => (sent.has(value) ? freshKey() : value))
  const [answered, setAnswered] = useState(state)
  if (answered !== state) {
    setAnswered(state)
    if (state.code === 'key_reused' || state.code === 'request_key_reused') setKey(freshKey())
  }
  useEffect(() => {
    if (isPending) sent.add(key)
  }, [isPending, key])
  return <input type="hidden" name="requestKey" value={key} />
}

function freshKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return `req_${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
