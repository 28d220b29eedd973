// Package aries holds whole conversations with aries-framework-go v0.3.2: connect,
// issue, present, with our side (package party) as issuer and verifier, and as holder.
// It is a module of its own, because that framework must not be a dependency of the
// library:
//
//	cd testdata/interop/aries && go test ./...
package aries

import (
	"encoding/base64"
	"encoding/json"
	"net"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hyperledger/aries-framework-go/pkg/client/didexchange"
	"github.com/hyperledger/aries-framework-go/pkg/client/issuecredential"
	"github.com/hyperledger/aries-framework-go/pkg/client/outofband"
	"github.com/hyperledger/aries-framework-go/pkg/client/presentproof"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/common/service"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/transport"
	arieshttp "github.com/hyperledger/aries-framework-go/pkg/didcomm/transport/http"
	"github.com/hyperledger/aries-framework-go/pkg/doc/verifiable"
	"github.com/hyperledger/aries-framework-go/pkg/framework/aries"
	provider "github.com/hyperledger/aries-framework-go/pkg/framework/context"
	"github.com/hyperledger/aries-framework-go/pkg/kms"
	"github.com/hyperledger/aries-framework-go/pkg/store/connection"
	"github.com/hyperledger/aries-framework-go/pkg/vdr/fingerprint"
	"github.com/stretchr/testify/require"
)

// didexchangeURI is the only version of did-exchange that the framework speaks.
const didexchangeURI = "https://didcomm.org/didexchange/1.0"

// patience is how long a test waits for one step.
const patience = 20 * time.Second

// A peer is an agent of the framework with its default services: it verifies, by
// itself, every credential and presentation before it acknowledges it.
type peer struct {
	t       testing.TB
	label   string
	context *provider.Provider
	oob     *outofband.Client
	connect *didexchange.Client
	issue   *issuecredential.Client
	present *presentproof.Client

	keyID, did, method string // the key that it issues, holds and presents with
	jwt                bool   // it issues JSON Web Tokens

	mu   sync.Mutex
	held []byte              // the credential it was issued last
	went map[string][]string // the states of each thread in their order, by protocol and thread
	sent map[string][]byte   // the presentation definition it sent, by thread
}

func newPeer(t testing.TB, label string) *peer {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0") // the framework takes no port of 0
	require.NoError(t, err)
	address := free.Addr().String()
	require.NoError(t, free.Close())
	inbound, err := arieshttp.NewInbound(address, "http://"+address, "", "")
	require.NoError(t, err)
	framework, err := aries.New(
		aries.WithInboundTransport(inbound),
		aries.WithMediaTypeProfiles([]string{transport.MediaTypeAIP2RFC0019Profile}),
		aries.WithKeyType(kms.ED25519Type), aries.WithKeyAgreementType(kms.X25519ECDHKWType),
	)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, framework.Close()) })
	p := &peer{t: t, label: label, went: map[string][]string{}, sent: map[string][]byte{}}
	p.context, err = framework.Context()
	require.NoError(t, err)
	var public []byte
	p.keyID, public, err = p.context.KMS().CreateAndExportPubKeyBytes(kms.ED25519Type)
	require.NoError(t, err)
	p.did, p.method = fingerprint.CreateDIDKey(public)
	p.speak()
	return p
}

// speak opens the clients of the protocols and answers what they ask the application.
func (p *peer) speak() {
	var err error
	p.oob, err = outofband.New(p.context)
	require.NoError(p.t, err)
	p.connect, err = didexchange.New(p.context)
	require.NoError(p.t, err)
	p.issue, err = issuecredential.New(p.context)
	require.NoError(p.t, err)
	p.present, err = presentproof.New(p.context)
	require.NoError(p.t, err)

	asked := func(protocol interface {
		RegisterActionEvent(ch chan<- service.DIDCommAction) error
	}, answer func(service.DIDCommAction)) {
		actions := make(chan service.DIDCommAction, 16)
		require.NoError(p.t, protocol.RegisterActionEvent(actions))
		go func() {
			for a := range actions {
				answer(a)
			}
		}()
	}
	asked(p.connect, func(a service.DIDCommAction) { a.Continue(&service.Empty{}) })
	asked(p.oob, func(a service.DIDCommAction) { a.Continue(&outofband.EventOptions{Label: p.label}) })
	asked(p.issue, p.answerIssue)
	asked(p.present, p.answerPresent)
	p.watch("issue", p.issue)
	p.watch("present", p.present)
}

// watch keeps the states that each thread of a protocol goes through.
func (p *peer) watch(protocol string, events interface {
	RegisterMsgEvent(ch chan<- service.StateMsg) error
}) {
	states := make(chan service.StateMsg, 64)
	require.NoError(p.t, events.RegisterMsgEvent(states))
	go func() {
		for s := range states {
			if s.Type != service.PostState {
				continue
			}
			thread, err := s.Msg.ThreadID()
			if err != nil {
				thread = s.Msg.ID()
			}
			p.mu.Lock()
			p.went[protocol+" "+thread] = append(p.went[protocol+" "+thread], s.StateID)
			p.mu.Unlock()
		}
	}()
}

// ended waits until a thread has ended, and reports whether it ended well: one of
// issue-credential that was given up comes to "done" as well, from "abandoning".
func (p *peer) ended(protocol, thread string) (well bool) {
	p.t.Helper()
	require.Eventually(p.t, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		states := p.went[protocol+" "+thread]
		gone := slices.Contains(states, "abandoned") // of present-proof
		well = !gone && !slices.Contains(states, "abandoning")
		return gone || slices.Contains(states, "done")
	}, patience, 5*time.Millisecond, "%s: %s has not ended", p.label, protocol)
	return well
}

// done waits until a thread has ended well.
func (p *peer) done(protocol, thread string) {
	p.t.Helper()
	require.True(p.t, p.ended(protocol, thread), "%s: %s was abandoned", p.label, protocol)
}

// abandoned waits until a thread was given up.
func (p *peer) abandoned(protocol, thread string) {
	p.t.Helper()
	require.False(p.t, p.ended(protocol, thread), "%s: %s is done", p.label, protocol)
}

// claims returns what the credential held says about this agent.
func (p *peer) claims() map[string]any {
	p.t.Helper()
	p.mu.Lock()
	held := p.held
	p.mu.Unlock()
	vc, err := verifiable.ParseCredential(held, verifiable.WithPublicKeyFetcher(p.keys()), verifiable.WithJSONLDDocumentLoader(p.context.JSONLDDocumentLoader()))
	require.NoError(p.t, err)
	subjects, ok := vc.Subject.([]verifiable.Subject)
	require.True(p.t, ok && len(subjects) == 1, "%T", vc.Subject)
	require.Equal(p.t, p.did, subjects[0].ID)
	return subjects[0].CustomFields
}

// answer answers an invitation, and returns the connection once it is there.
func (p *peer) answer(link string) *connection.Record {
	p.t.Helper()
	u, err := url.Parse(link)
	require.NoError(p.t, err)
	message, err := base64.RawURLEncoding.DecodeString(u.Query().Get("oob"))
	require.NoError(p.t, err)
	invitation := new(outofband.Invitation)
	require.NoError(p.t, json.Unmarshal(message, invitation))
	id, err := p.oob.AcceptInvitation(invitation, p.label)
	require.NoError(p.t, err)
	var found *connection.Record
	require.Eventually(p.t, func() bool {
		c, err := p.connect.GetConnection(id)
		if err != nil || c.State != "completed" {
			return false
		}
		found = c.Record
		return true
	}, patience, 5*time.Millisecond, "%s is not connected", p.label)
	return found
}

// invite makes an invitation, and a function that waits for the connection it leads to.
func (p *peer) invite() (link string, connected func() *connection.Record) {
	p.t.Helper()
	invitation, err := p.oob.CreateInvitation(nil, outofband.WithLabel(p.label), outofband.WithGoal("To make you a river warden", "issue-vc"),
		outofband.WithHandshakeProtocols(didexchangeURI), outofband.WithAccept(transport.MediaTypeAIP2RFC0019Profile))
	require.NoError(p.t, err)
	message, err := json.Marshal(invitation)
	require.NoError(p.t, err)
	return "http://127.0.0.1/?oob=" + base64.RawURLEncoding.EncodeToString(message), func() (found *connection.Record) {
		require.Eventually(p.t, func() bool {
			all, err := p.connect.QueryConnections(&didexchange.QueryConnectionsParams{State: "completed"})
			if err != nil || len(all) == 0 {
				return false
			}
			found = all[0].Record
			return true
		}, patience, 5*time.Millisecond, "%s is not connected", p.label)
		return found
	}
}
