package present

import (
	"errors"
	"fmt"
	"slices"

	"github.com/staffpassport/staffpassport/didcomm"
)

// maxAttachments bounds what may travel beside a presentation: a photo and little
// else.
const maxAttachments = 8

// saveAttachments keeps what came beside a presentation.
func saveAttachments(tx didcomm.Tx, id string, list []didcomm.Attachment) error {
	if len(list) == 0 {
		return nil
	}
	if err := checkAttachments(list); err != nil {
		return err
	}
	return tx.Save(kindAttachments, id, list)
}

// checkAttachments sees that each has content and an @id of its own.
func checkAttachments(list []didcomm.Attachment) error {
	if len(list) > maxAttachments {
		return fmt.Errorf("%w: more than %d attachments", ErrMalformed, maxAttachments)
	}
	for i, a := range list {
		if _, err := a.Content(); err != nil || a.ID == "" ||
			slices.ContainsFunc(list[:i], func(b didcomm.Attachment) bool { return b.ID == a.ID }) {
			return fmt.Errorf("%w: attachment without content or an @id of its own", ErrMalformed)
		}
	}
	return nil
}

func loadAttachments(tx didcomm.Tx, id string) (out []didcomm.Attachment, err error) {
	err = tx.Load(kindAttachments, id, &out)
	if errors.Is(err, didcomm.ErrNotFound) {
		return nil, nil
	}
	return out, err
}
