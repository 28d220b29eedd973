package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/status"
)

// TestStatusEntry: Bitstring Status List 1.0, sections 2.1 and 2.2, of what is issued.
func TestStatusEntry(t *testing.T) {
	t.Parallel()
	a := start(t)
	for path, c := range combinations() {
		for name, asked := range map[string]struct {
			option   any
			purposes []string
		}{
			"true":       {true, []string{"revocation"}},
			"false":      {false, nil},
			"null":       {nil, nil},
			"none":       {[]any{}, nil},
			"an object":  {doc{"type": "BitstringStatusListEntry", "statusPurpose": "suspension"}, []string{"suspension"}},
			"no purpose": {doc{"type": "BitstringStatusListEntry"}, []string{"revocation"}},
			"both":       {[]any{doc{"statusPurpose": "revocation"}, doc{"statusPurpose": "suspension"}}, []string{"revocation", "suspension"}},
		} {
			about := path + ": " + name
			if path != "/eddsa-jcs-2022/Ed25519" && name != "both" { // what is asked for is read in one place
				continue
			}
			for version, credential := range map[string]doc{"2.0": a.credential(nil), "1.1": a.older(nil)} {
				issued := a.issue(path, credential, doc{"credentialStatus": asked.option})
				entries := entriesOf(issued)
				require.Len(t, entries, len(asked.purposes), about)
				for i, entry := range entries {
					require.Equal(t, "BitstringStatusListEntry", entry["type"], about)
					require.Equal(t, asked.purposes[i], entry["statusPurpose"], about)
					index, err := strconv.Atoi(entry["statusListIndex"].(string))
					require.NoError(t, err, about)
					require.True(t, index >= 0 && index < status.MinEntries, about)
					require.NotEqual(t, entry["statusListCredential"], entry["id"], about)
					require.NotEmpty(t, entry["id"], "%s: data model %s", about, version)
					a.checkList(entry["statusListCredential"].(string), a.issuers()[c.key], asked.purposes[i], about)
				}
				a.verify(a.shown(c, issued), doc{"checks": []any{"proof", "credentialStatus"}}, about)
			}
		}
	}
}

func entriesOf(issued doc) []doc {
	switch v := issued["credentialStatus"].(type) {
	case doc:
		return []doc{v}
	case []any:
		out := make([]doc, len(v))
		for i := range v {
			out[i] = v[i].(doc)
		}
		return out
	}
	return nil
}

// checkList fetches a list as a verifier would and looks at what it must say.
func (a *api) checkList(url, issuer, purpose, about string) {
	t := a.t
	require.True(t, strings.HasPrefix(url, a.URL+"/status/"), about)
	e := a.get(strings.TrimPrefix(url, a.URL))
	require.Equal(t, http.StatusOK, e.status, about)
	list := e.object(t)
	require.Equal(t, url, list["id"], about)
	require.Equal(t, issuer, list["issuer"], about)
	require.Equal(t, []any{"VerifiableCredential", "BitstringStatusListCredential"}, list["type"], about)
	subject := list["credentialSubject"].(doc)
	require.Equal(t, "BitstringStatusList", subject["type"], about)
	require.Equal(t, purpose, subject["statusPurpose"], about)
	encoded := subject["encodedList"].(string)
	require.True(t, strings.HasPrefix(encoded, "u"), about)
	bits, err := status.Decode(encoded)
	require.NoError(t, err, about)
	require.Equal(t, 16<<10, len(bits.Bytes()), about)
	from, err := time.Parse(time.RFC3339, list["validFrom"].(string))
	require.NoError(t, err, about)
	require.False(t, from.After(time.Now()), about)
	a.verify(list, nil, about+": the list")
}

// TestStatusIndexes: no two credentials have one, and they are not in a row.
func TestStatusIndexes(t *testing.T) {
	t.Parallel()
	a := start(t)
	seen := map[string]bool{}
	last, ascending := -1, 0
	for range 64 {
		index := entriesOf(a.issue("/eddsa-jcs-2022", a.credential(nil), doc{"credentialStatus": true}))[0]["statusListIndex"].(string)
		require.False(t, seen[index])
		seen[index] = true
		n, err := strconv.Atoi(index)
		require.NoError(t, err)
		if n == last+1 {
			ascending++
		}
		last = n
	}
	require.Less(t, ascending, 3)
}

// TestStatusFull: a list is not filled so far that an index would be hard to find.
func TestStatusFull(t *testing.T) {
	t.Parallel()
	s, err := newServer("http://127.0.0.1:1", time.Now)
	require.NoError(t, err)
	defer s.close()
	name := listName{keyEd25519, status.Revocation}
	for range maxEntries {
		_, err := s.lists.allocate("", name)
		require.NoError(t, err)
	}
	_, err = s.lists.allocate("", name)
	require.ErrorIs(t, err, errFull)
}

// TestStatusChange: what is set is seen by the next verification, and taken back.
func TestStatusChange(t *testing.T) {
	t.Parallel()
	a := start(t)
	for path, c := range combinations() {
		both := []any{doc{"statusPurpose": "revocation"}, doc{"statusPurpose": "suspension"}}
		id := "urn:example:" + c.suite.name + ":" + c.key
		issued := a.shown(c, a.issue(path, a.credential(doc{"id": id}), doc{"credentialStatus": both}))
		neighbour := a.shown(c, a.issue(path, a.credential(doc{"id": id + ":other"}), doc{"credentialStatus": both}))
		set := func(purpose string, value any) {
			body := doc{"credentialId": id, "credentialStatus": doc{"type": "BitstringStatusListEntry", "statusPurpose": purpose}}
			if value != nil {
				body["status"] = value
			}
			require.Equal(t, http.StatusOK, a.post("/credentials/status", body).status, path)
		}
		a.verify(issued, nil, path)
		set("suspension", nil)
		require.Contains(t, a.refuse(issued, nil, path), `"code":"suspended"`)
		require.Contains(t, a.refusePresentation(unsigned(issued), nil, path), `"code":"suspended"`)
		a.verify(neighbour, nil, path)
		set("suspension", false)
		a.verify(issued, nil, path)
		set("suspension", "true")
		set("suspension", "false")
		a.verify(issued, nil, path)
		set("revocation", true)
		require.Contains(t, a.refuse(issued, doc{"checks": []any{"proof"}}, path), `"code":"revoked"`)
		a.verify(neighbour, nil, path)
	}
	for name, c := range map[string]struct {
		status int
		body   any
	}{
		"no such credential":  {http.StatusNotFound, doc{"credentialId": "urn:example:nobody", "credentialStatus": true}},
		"without entries":     {http.StatusNotFound, doc{"credentialId": a.issue("", a.credential(doc{"id": "urn:example:bare"}), nil)["id"], "credentialStatus": true}},
		"no id":               {http.StatusBadRequest, doc{"credentialStatus": true}},
		"id a number":         {http.StatusBadRequest, doc{"credentialId": 5, "credentialStatus": true}},
		"no status":           {http.StatusBadRequest, doc{"credentialId": "urn:example:nobody"}},
		"another type":        {http.StatusBadRequest, doc{"credentialId": "urn:example:nobody", "credentialStatus": doc{"type": "StatusList2021Entry"}}},
		"another purpose":     {http.StatusBadRequest, doc{"credentialId": "urn:example:nobody", "credentialStatus": doc{"statusPurpose": "refresh"}}},
		"a value that is not": {http.StatusBadRequest, doc{"credentialId": "urn:example:nobody", "credentialStatus": true, "status": "perhaps"}},
		"a value, number":     {http.StatusBadRequest, doc{"credentialId": "urn:example:nobody", "credentialStatus": true, "status": 1}},
		"not an object":       {http.StatusBadRequest, []any{}},
	} {
		require.Equal(t, c.status, a.post("/credentials/status", c.body).status, name)
	}
}

// TestStatusListNotThere: 404 for what no issued credential names.
func TestStatusListNotThere(t *testing.T) {
	t.Parallel()
	a := start(t)
	issued := a.issue("", a.credential(nil), doc{"credentialStatus": true})
	path := strings.TrimPrefix(entriesOf(issued)[0]["statusListCredential"].(string), a.URL)
	require.Equal(t, http.StatusOK, a.get(path).status)
	for _, other := range []string{
		"/status/Ed25519/suspension", "/status/P-256/revocation", "/status/Ed25519/message", "/status/P-521/revocation",
		"/status/Ed25519", "/status/Ed25519/revocation/1", "/status//revocation", "/status/",
	} {
		require.Equal(t, http.StatusNotFound, a.get(other).status, other)
	}
}

// TestStatusElsewhere: lists of another issuer on this machine: what a verifier fetches is
// looked at like everything else (section 3.2), and what it cannot have leaves the status
// unknown.
func TestStatusElsewhere(t *testing.T) {
	t.Parallel()
	a := start(t)
	var serve []byte
	var contentType string
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/list" || serve == nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(serve)
	}))
	defer host.Close()
	bits, err := status.NewBits(status.MinEntries)
	require.NoError(t, err)
	require.NoError(t, bits.Set(7, true))
	list := a.credential(doc{
		"id": host.URL + "/list", "type": []any{"VerifiableCredential", "BitstringStatusListCredential"},
		"validFrom":         "2024-02-03T04:05:06Z",
		"credentialSubject": doc{"id": host.URL + "/list#list", "type": "BitstringStatusList", "statusPurpose": "revocation", "encodedList": bits.Encode()},
	})
	about := func(index string) doc {
		return a.issue("", a.credential(doc{"credentialStatus": doc{
			"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": index, "statusListCredential": host.URL + "/list",
		}}), nil)
	}
	clear, revoked, outside := about("8"), about("7"), about("131072")
	publish := func(list any) {
		serve, err = json.Marshal(list)
		require.NoError(t, err)
	}
	contentType = "application/vc"
	publish(a.issue("", list, nil))
	a.verify(clear, nil, "not set")
	require.Contains(t, a.refuse(revoked, nil, "set"), `"code":"revoked"`)
	require.Contains(t, a.refuse(outside, nil, "out of range"), "RANGE_ERROR")
	subject := list["credentialSubject"].(doc)
	for name, c := range map[string]struct {
		list  any
		code  string
		cause string
	}{
		"another id":       {a.issue("", with(list, doc{"id": host.URL + "/other"}), nil), "status-list", "id is another than the URL of the list"},
		"another type":     {a.issue("", with(list, doc{"type": []any{"VerifiableCredential"}}), nil), "status-list", "not a status list for this credential: type"},
		"signed by a key":  {a.issue("/ecdsa-rdfc-2019", with(list, doc{"issuer": a.P256}), nil), "status-list", "signed by another than the issuer of the credential or a delegate"},
		"not a list":       {a.issue("", with(list, doc{"credentialSubject": with(subject, doc{"encodedList": "uAAAA"})}), nil), "status-list", "encodedList is not multibase base64url"},
		"too short":        {a.issue("", with(list, doc{"credentialSubject": with(subject, doc{"encodedList": "uH4sIAAAAAAAA_2NgGAWjYBSMglEwCkbBKBgFo2AUjIJRMAoAGgQcCAABAAA"})}), nil), "status-list", "encodedList is not GZIP of the length that it says"},
		"not signed":       {list, "status-list", "no proof"},
		"signature broken": {damaged(a.issue("", list, nil)), "status-list", "signature does not verify"},
		"out of date":      {a.issue("", with(list, doc{"validUntil": "2024-02-04T04:05:06Z"}), nil), "status-unavailable", "the list is out of date"},
		"no JSON":          {"list", "status-list", "not well-formed JSON at byte 0"},
	} {
		publish(c.list)
		why := a.refuse(clear, nil, name)
		require.Equal(t, 1, strings.Count(why, `"code":`), "%s: %s", name, why)
		require.Contains(t, why, `"code":"`+c.code+`"`, name)
		require.Contains(t, why, c.cause+`"`, name)
	}
	publish(a.issue("", with(list, doc{"validFrom": "2024-02-03T04:05:07Z", "credentialSubject": with(subject, doc{"statusPurpose": "suspension"})}), nil))
	why := a.refuse(clear, nil, "another purpose")
	require.Contains(t, why, `"code":"status-list"`)
	require.Contains(t, why, `of another purpose"`)
	publish(a.issue("", list, nil))
	contentType = "text/html"
	require.Contains(t, a.refuse(clear, nil, "a page"), `"code":"status-unavailable"`)
	serve = nil
	require.Contains(t, a.refuse(clear, nil, "not there"), "STATUS_RETRIEVAL_ERROR")
	require.Contains(t, a.refuse(a.issue("", a.credential(doc{"credentialStatus": doc{
		"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "1", "statusListCredential": "https://192.168.0.1/list",
	}}), nil), nil, "a private address"), `"code":"status-unavailable"`)
	require.Equal(t, vc.ContextV2, list["@context"].([]any)[0])
}

func damaged(o doc) doc {
	o = clone(o)
	proof := o["proof"].(doc)
	proof["proofValue"] = damage(proof["proofValue"].(string))
	return o
}
