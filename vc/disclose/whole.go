package disclose

import (
	"context"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/jose"
)

// whole is a credential that is shown as it is or not at all.
type whole struct {
	secured vc.Secured
	doc     *strictjson.Object
}

func (w *whole) document() *strictjson.Object { return w.doc }

func (w *whole) bearer() bool { return false }

func (w *whole) mark(leaves []leaf) ([]vc.Pointer, error) {
	for i := range leaves {
		if !leaves[i].named {
			return nil, ErrWhole
		}
	}
	return nil, nil
}

func (w *whole) derive(context.Context, *Request, []vc.Pointer) (vc.Secured, error) {
	return w.secured, nil
}

func (w *whole) read(s vc.Secured) (*strictjson.Object, error) {
	if s.MediaType == vc.MediaTypeCredential {
		o, err := strictjson.ParseObject(s.Bytes)
		if err == nil {
			o.Delete("proof")
		}
		return o, err
	}
	return wholeDocument(s)
}

// wholeDocument returns the credential of a JWT or COSE envelope.
func wholeDocument(s vc.Secured) (*strictjson.Object, error) {
	if s.MediaType == cose.MediaTypeCredential {
		t, err := cose.Parse(s)
		if err != nil {
			return nil, err
		}
		return t.Document(), nil
	}
	t, err := jose.Parse(s)
	if err != nil {
		return nil, err
	}
	return t.Document(), nil
}
