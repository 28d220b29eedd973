package bundle

import (
	"context"
	"time"
)

// An answer is what a Getter returned.
type answer struct {
	body      []byte
	mediaType string
}

// take is Get for the maker of the next bundle, with the time at which the part was
// fetched.
func (b *Bundle) take(url string, accept []string) (answer, time.Time, error) {
	body, mediaType, err := b.Get(context.Background(), url, accept...)
	return answer{body, mediaType}, b.byURL[url].Fetched, err
}
