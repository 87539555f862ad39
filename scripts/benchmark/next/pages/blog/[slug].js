import Head from 'next/head'

// Every post is made by the build; after it only revalidate() makes pages anew.
export async function getStaticPaths() {
  const paths = []
  for (let page = 1, last = 1; page <= last; page++) {
    const res = await fetch(`${process.env.SOURCE}/posts?per_page=100&page=${page}`)
    last = Number(res.headers.get('x-wp-totalpages'))
    paths.push(...(await res.json()).map((post) => ({ params: { slug: post.slug } })))
  }
  return { paths, fallback: 'blocking' }
}

export async function getStaticProps({ params }) {
  const res = await fetch(`${process.env.SOURCE}/posts?slug=${encodeURIComponent(params.slug)}`)
  if (!res.ok) throw new Error(`the source answers ${res.status}`)
  const [post] = await res.json()
  if (!post) return { notFound: true }
  return { props: { title: post.title.rendered, content: post.content.rendered } }
}

export default function Post({ title, content }) {
  return (
    <>
      <Head>
        <title>{title}</title>
      </Head>
      <h1>{title}</h1>
      <div dangerouslySetInnerHTML={{ __html: content }} />
    </>
  )
}
