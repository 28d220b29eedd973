package issue

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/didcomm"
)

// maxAttachments bounds what may travel beside a credential: a photo and little
// else.
const maxAttachments = 8

// loadAttachments returns what travelled beside the credential of an exchange.
func loadAttachments(tx didcomm.Tx, id string) (out []didcomm.Attachment, err error) {
	err = tx.Load(kindAttachments, id, &out)
	if errors.Is(err, didcomm.ErrNotFound) {
		return nil, nil
	}
	return out, err
}

// addAttachments keeps what travels beside a message. What travels twice under
// one @id must be the same both times, or it is [ErrDifferent]: the person looked
// at the first. What cannot be named, or read, is [ErrMalformed].
func addAttachments(tx didcomm.Tx, id string, more []didcomm.Attachment) error {
	if len(more) == 0 {
		return nil
	}
	kept, err := loadAttachments(tx, id)
	if err != nil {
		return err
	}
	for _, a := range more {
		content, err := a.Content()
		if err != nil || a.ID == "" {
			return fmt.Errorf("%w: attachment without @id or content", ErrMalformed)
		}
		i := slices.IndexFunc(kept, func(k didcomm.Attachment) bool { return k.ID == a.ID })
		if i < 0 {
			if kept = append(kept, a); len(kept) > maxAttachments {
				return fmt.Errorf("%w: more than %d attachments", ErrMalformed, maxAttachments)
			}
			continue
		}
		before, err := kept[i].Content()
		if err != nil || !bytes.Equal(before, content) {
			return fmt.Errorf("%w: attachment", ErrDifferent)
		}
	}
	return tx.Save(kindAttachments, id, kept)
}
