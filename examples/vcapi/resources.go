package main

import (
	"context"
	"fmt"

	"github.com/staffpassport/staffpassport/vc"
)

// maxResources bounds what one credential can have the server fetch.
const maxResources = 8

// checkRelated fetches the related resources of a credential and compares them with
// their digests (VC Data Model 2.0, section 5.3). Contexts are not fetched: the library
// knows theirs. What cannot be had is not the right one.
func (s *server) checkRelated(ctx context.Context, c *vc.Credential, contexts *vc.ContextSet) error {
	if len(c.Related) > maxResources {
		return badRequest("too many related resources")
	}
	for _, r := range c.Related {
		if contexts.Documents().Known(r.ID) {
			continue
		}
		var accept []string
		if r.MediaType != "" {
			accept = append(accept, r.MediaType)
		}
		body, _, err := s.client.Get(ctx, r.ID, accept...)
		if err != nil {
			return fmt.Errorf("vcapi: related resource: %w", err)
		}
		if err := r.Matches(body); err != nil {
			return err
		}
	}
	return nil
}
