import { useAnswer } from '../app/use-answer.ts';
import { Empty, WhenLoaded } from '../parts/loading.tsx';
import { PictureCard } from './picture-card.tsx';

/** Questions that most people ask about their account, answered as pictures. */
export function PicturesPage({ id }: { readonly id: string }) {
  const loaded = useAnswer<'pictures'>('/api/pictures');
  return (
    <WhenLoaded loaded={loaded} what="pictures">
      {({ pictures }) =>
        pictures.length === 0 ? (
          <Empty title="There are no pictures." />
        ) : (
          <div className="pictures">
            {pictures.map((picture) => (
              <PictureCard key={picture.name} id={id} picture={picture} />
            ))}
          </div>
        )
      }
    </WhenLoaded>
  );
}
