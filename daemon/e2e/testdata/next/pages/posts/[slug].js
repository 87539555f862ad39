import Head from 'next/head'
import Link from 'next/link'
import { read } from '../../lib/source'

export function getStaticPaths() {
  return { paths: [{ params: { slug: 'one' } }], fallback: 'blocking' }
}

export async function getStaticProps({ params, preview = false }) {
  const post = await read(`post-${params.slug}`)
  return post ? { props: { post, preview }, revalidate: 3600 } : { notFound: true, revalidate: 3600 }
}

export default function Post({ post, preview }) {
  return (
    <main>
      <Head>
        <title>{post.title}</title>
        <link rel="icon" href="data:," />
      </Head>
      <h1>{post.title}</h1>
      <p>{post.text}</p>
      {preview && <p>This is a preview</p>}
      <Link id="next" href="/posts/two">
        The next one
      </Link>
    </main>
  )
}
