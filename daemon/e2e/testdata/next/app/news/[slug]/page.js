import Link from 'next/link'
import { draftMode } from 'next/headers'
import { notFound } from 'next/navigation'
import { read } from '../../../lib/source'

export const revalidate = 3600

export function generateStaticParams() {
  return [{ slug: 'one' }]
}

export default async function News({ params }) {
  const { slug } = await params
  const { isEnabled } = await draftMode()
  const item = await read(`news-${slug}`)
  if (!item) notFound()
  return (
    <main>
      <h1>{item.title}</h1>
      <p>{item.text}</p>
      {isEnabled && <p>This is a draft</p>}
      <Link id="next" href="/news/two">
        The next one
      </Link>
    </main>
  )
}
