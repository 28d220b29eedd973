package didwebvh

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/did"
	"github.com/staffpassport/staffpassport/internal/diproof"
	"github.com/staffpassport/staffpassport/internal/multiformat"
	"github.com/staffpassport/staffpassport/internal/strictjson"
)

// now is when the tests look at logs.
var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// key returns an Ed25519 key of the test's own.
func key(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func keySigner(t testing.TB, n byte) did.Signer {
	t.Helper()
	s, err := UpdateKey(key(n))
	require.NoError(t, err)
	return s
}

var multikeyTexts = sync.OnceValue(func() (list [256]string) {
	for n := range list {
		list[n], _ = did.Multikey(key(byte(n)).Public())
	}
	return list
})

func multikeyText(n byte) string { return multikeyTexts()[n] }

func parseObject(t testing.TB, text string) *strictjson.Object {
	t.Helper()
	o, err := strictjson.ParseObject([]byte(text))
	require.NoError(t, err)
	return o
}

// A step is an entry to be written with all that belongs to it, whatever rule it
// breaks: {K1} stands for the Multikey of key 1, {H1} for its hash, {DID} for the DID.
type step struct {
	parameters, state, time string
	key                     byte
	before                  func(tree *strictjson.Object) // changes the entry before it is hashed
	after                   func(tree *strictjson.Object) // changes the entry after it is signed
}

const plainState = `{"@context":["https://www.w3.org/ns/did/v1"],"id":"{DID}"}`

// writeLog writes the steps as a log.
func writeLog(t testing.TB, steps ...step) []byte {
	t.Helper()
	name, predecessor := prefix+placeholder+":rivers.example", ""
	var log []byte
	for i, s := range steps {
		if s.state == "" {
			s.state = plainState
		}
		if s.key == 0 {
			s.key = 1
		}
		if s.time == "" {
			s.time = now.Add(time.Duration(i-100) * time.Hour).Format(time.RFC3339)
		}
		tree := strictjson.NewObject(
			strictjson.Member{Name: "versionId", Value: placeholder},
			strictjson.Member{Name: "versionTime", Value: s.time},
			strictjson.Member{Name: "parameters", Value: parseObject(t, fill(s.parameters, name))},
			strictjson.Member{Name: "state", Value: parseObject(t, fill(s.state, name))},
		)
		if s.before != nil {
			s.before(tree)
		}
		line, err := writeEntry(context.Background(), tree, i+1, predecessor, keySigner(t, s.key), now)
		require.NoError(t, err)
		written := parseObject(t, string(line))
		predecessor, _ = written.Text("versionId")
		if i == 0 {
			parameters, _ := object(written, "parameters")
			scid, _ := parameters.Text("scid")
			name = strings.ReplaceAll(name, placeholder, scid)
		}
		if s.after != nil {
			s.after(written)
			line, err = strictjson.Append(nil, written)
			require.NoError(t, err)
		}
		log = append(append(log, line...), '\n')
	}
	return log
}

func fill(text, name string) string {
	for n := byte(1); n < 10 && strings.ContainsAny(text, "KH"); n++ {
		text = strings.ReplaceAll(text, "{K"+string('0'+n)+"}", multikeyText(n))
		text = strings.ReplaceAll(text, "{H"+string('0'+n)+"}", hashText([]byte(multikeyText(n))))
	}
	return strings.ReplaceAll(text, "{DID}", name)
}

const (
	first       = `{"method":"did:webvh:1.0","scid":"{SCID}","updateKeys":["{K1}"]}`
	firstNext   = `{"method":"did:webvh:1.0","scid":"{SCID}","updateKeys":["{K1}"],"nextKeyHashes":["{H2}","{H3}"]}`
	firstMoving = `{"method":"did:webvh:1.0","scid":"{SCID}","updateKeys":["{K1}"],"portable":true}`
)

func withParameters(members string) string {
	return strings.TrimSuffix(first, "}") + "," + members + "}"
}

// TestRules takes each rule on entries alone: entries with right hashes and good
// signatures that break it, and their neighbours that do not.
func TestRules(t *testing.T) {
	t.Parallel()
	set := func(member string, v any) func(*strictjson.Object) {
		return func(o *strictjson.Object) { o.Set(member, v) }
	}
	proofs := func(change func(list []any) []any) func(*strictjson.Object) {
		return func(o *strictjson.Object) {
			v, _ := o.Get("proof")
			o.Set("proof", change(v.([]any)))
		}
	}
	proof := func(member string, v any) func(*strictjson.Object) {
		return proofs(func(list []any) []any {
			list[0].(*strictjson.Object).Set(member, v)
			return list
		})
	}
	// As proof, but signed with the change in it.
	signed := func(member string, v any) func(*strictjson.Object) {
		return func(o *strictjson.Object) {
			list, _ := o.Get("proof")
			options := list.([]any)[0].(*strictjson.Object).Clone()
			options.Delete("proofValue")
			options.Set(member, v)
			o.Delete("proof")
			made, err := diproof.Create(o, options, suite(), func(data []byte) ([]byte, error) { return ed25519.Sign(key(1), data), nil })
			require.NoError(t, err)
			o.Set("proof", []any{made})
		}
	}
	moved := func(others, scid string) string {
		return `{"id":"did:webvh:` + scid + `:hills.example","alsoKnownAs":[` + others + `]}`
	}
	scidOf := func(steps ...step) string {
		o := parseObject(t, string(bytes.TrimSpace(writeLog(t, steps[0]))))
		parameters, _ := object(o, "parameters")
		s, _ := parameters.Text("scid")
		return s
	}
	moving := scidOf(step{parameters: firstMoving})
	otherSCID := hashText([]byte("another"))
	witness := func(list string) []step { return []step{{parameters: withParameters(`"witness":` + list)}} }
	smallOrder := multiformat.Encode(append(multiformat.AppendCodec(nil, multiformat.Ed25519Public), make([]byte, 32)...))
	good := error(nil)
	for name, c := range map[string]struct {
		steps []step
		entry int
		want  error
	}{
		"one entry":     {[]step{{parameters: first}}, 0, good},
		"two entries":   {[]step{{parameters: first}, {parameters: `{}`}}, 0, good},
		"all there is":  {[]step{{parameters: withParameters(`"portable":false,"nextKeyHashes":[],"witness":{},"watchers":["https://w.example/"],"deactivated":false,"ttl":0`)}}, 0, good},
		"null for none": {[]step{{parameters: withParameters(`"nextKeyHashes":null,"witness":null,"watchers":null,"ttl":null`)}, {parameters: `{}`}}, 0, good},

		// Parameters.
		"no method":                 {[]step{{parameters: `{"scid":"{SCID}","updateKeys":["{K1}"]}`}}, 1, ErrParameters},
		"no updateKeys":             {[]step{{parameters: `{"method":"did:webvh:1.0","scid":"{SCID}"}`}}, 1, ErrParameters},
		"no scid":                   {[]step{{parameters: `{"method":"did:webvh:1.0","updateKeys":["{K1}"]}`}}, 1, ErrParameters},
		"version 99.0":              {[]step{{parameters: strings.Replace(first, "1.0", "99.0", 1)}}, 1, did.ErrUnsupported},
		"version 1.1":               {[]step{{parameters: first}, {parameters: `{"method":"did:webvh:1.1"}`}}, 2, did.ErrUnsupported},
		"version 0.5":               {[]step{{parameters: strings.Replace(first, "1.0", "0.5", 1)}}, 1, did.ErrUnsupported},
		"back to version 0.5":       {[]step{{parameters: first}, {parameters: `{"method":"did:webvh:0.5"}`}}, 2, ErrParameters},
		"same version again":        {[]step{{parameters: first}, {parameters: `{"method":"did:webvh:1.0"}`}}, 0, good},
		"version with a suffix":     {[]step{{parameters: strings.Replace(first, "1.0", "1.0-rc1", 1)}}, 1, ErrParameters},
		"version of another name":   {[]step{{parameters: strings.Replace(first, "did:webvh:1.0", "didwebvh:1.0", 1)}}, 1, ErrParameters},
		"version no text":           {[]step{{parameters: strings.Replace(first, `"did:webvh:1.0"`, "1.0", 1)}}, 1, ErrParameters},
		"scid later":                {[]step{{parameters: first}, {parameters: `{"scid":"` + otherSCID + `"}`}}, 2, ErrParameters},
		"unknown parameter":         {[]step{{parameters: withParameters(`"prerotation":true`)}}, 1, ErrParameters},
		"unknown parameter later":   {[]step{{parameters: first}, {parameters: `{"updatekeys":[]}`}}, 2, ErrParameters},
		"updateKeys a text":         {[]step{{parameters: first}, {parameters: `{"updateKeys":"{K2}"}`}}, 2, ErrParameters},
		"updateKeys of did:keys":    {[]step{{parameters: first}, {parameters: `{"updateKeys":["did:key:{K2}"]}`}}, 2, ErrParameters},
		"updateKeys of numbers":     {[]step{{parameters: first}, {parameters: `{"updateKeys":[1]}`}}, 2, ErrParameters},
		"updateKeys twice one":      {[]step{{parameters: first}, {parameters: `{"updateKeys":["{K2}","{K2}"]}`}, {parameters: `{}`, key: 2}}, 0, good},
		"nextKeyHashes a map":       {[]step{{parameters: first}, {parameters: `{"nextKeyHashes":{}}`}}, 2, ErrParameters},
		"nextKeyHashes empty text":  {[]step{{parameters: first}, {parameters: `{"nextKeyHashes":[""]}`}}, 2, ErrParameters},
		"watchers no URL":           {[]step{{parameters: withParameters(`"watchers":["nobody"]`)}}, 1, ErrParameters},
		"watchers a text":           {[]step{{parameters: withParameters(`"watchers":"https://w.example/"`)}}, 1, ErrParameters},
		"watchers a DID":            {[]step{{parameters: withParameters(`"watchers":["did:example:heron"]`)}}, 0, good},
		"portable later":            {[]step{{parameters: first}, {parameters: `{"portable":true}`}}, 2, ErrParameters},
		"portable still":            {[]step{{parameters: firstMoving}, {parameters: `{"portable":true}`}}, 2, ErrParameters},
		"portable no more":          {[]step{{parameters: firstMoving}, {parameters: `{"portable":false}`}}, 0, good},
		"portable a text":           {[]step{{parameters: withParameters(`"portable":"true"`)}}, 1, ErrParameters},
		"portable null":             {[]step{{parameters: withParameters(`"portable":null`)}}, 1, ErrParameters},
		"deactivated a number":      {[]step{{parameters: withParameters(`"deactivated":1`)}}, 1, ErrParameters},
		"ttl negative":              {[]step{{parameters: withParameters(`"ttl":-1`)}}, 1, ErrParameters},
		"ttl 2^31":                  {[]step{{parameters: withParameters(`"ttl":2147483648`)}}, 0, good},
		"ttl 2^31+1":                {[]step{{parameters: withParameters(`"ttl":2147483649`)}}, 1, ErrParameters},
		"ttl a fraction":            {[]step{{parameters: withParameters(`"ttl":1.5`)}}, 1, ErrParameters},
		"ttl a text":                {[]step{{parameters: withParameters(`"ttl":"60"`)}}, 1, ErrParameters},
		"witness twice":             {witness(`{"threshold":1,"witnesses":[{"id":"did:key:{K5}"},{"id":"did:key:{K5}"}]}`), 1, ErrParameters},
		"witness twice, two forms":  {witness(`{"threshold":1,"witnesses":[{"id":"did:key:{K5}"},{"id":"{K5}"}]}`), 1, ErrParameters},
		"witness threshold 0":       {witness(`{"threshold":0,"witnesses":[{"id":"did:key:{K5}"}]}`), 1, ErrParameters},
		"witness threshold 2 of 1":  {witness(`{"threshold":2,"witnesses":[{"id":"did:key:{K5}"}]}`), 1, ErrParameters},
		"witness threshold 1.5":     {witness(`{"threshold":1.5,"witnesses":[{"id":"did:key:{K5}"},{"id":"did:key:{K6}"}]}`), 1, ErrParameters},
		"witness threshold a text":  {witness(`{"threshold":"1","witnesses":[{"id":"did:key:{K5}"}]}`), 1, ErrParameters},
		"witness without threshold": {witness(`{"witnesses":[{"id":"did:key:{K5}"}]}`), 1, ErrParameters},
		"witness without witnesses": {witness(`{"threshold":1}`), 1, ErrParameters},
		"witness of none":           {witness(`{"threshold":0,"witnesses":[]}`), 1, ErrParameters},
		"witness a list":            {witness(`[]`), 1, ErrParameters},
		"witness without id":        {witness(`{"threshold":1,"witnesses":[{}]}`), 1, ErrParameters},
		"witness a text":            {witness(`{"threshold":1,"witnesses":["did:key:{K5}"]}`), 1, ErrParameters},
		"witness with a weight":     {witness(`{"threshold":1,"witnesses":[{"id":"did:key:{K5}","weight":2}]}`), 1, ErrParameters},
		"witness of another method": {witness(`{"threshold":1,"witnesses":[{"id":"did:web:{K5}"}]}`), 1, ErrParameters},
		"witness with a fragment":   {witness(`{"threshold":1,"witnesses":[{"id":"did:key:{K5}#{K5}"}]}`), 1, ErrParameters},
		"witness of another key":    {witness(`{"threshold":1,"witnesses":[{"id":"did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"}]}`), 1, ErrParameters},
		"witness with more":         {witness(`{"threshold":1,"witnesses":[{"id":"did:key:{K5}"}],"quorum":1}`), 1, ErrParameters},
		"witness of small order":    {witness(`{"threshold":1,"witnesses":[{"id":"did:key:` + smallOrder + `"}]}`), 1, ErrParameters},

		// Keys and proofs.
		"unknown key":                     {[]step{{parameters: first, key: 2}}, 1, ErrKey},
		"no key":                          {[]step{{parameters: strings.Replace(first, `"{K1}"`, "", 1)}}, 1, ErrKey},
		"keys null":                       {[]step{{parameters: strings.Replace(first, `["{K1}"]`, "null", 1)}}, 1, ErrKey},
		"new key signs its own entry":     {[]step{{parameters: first}, {parameters: `{"updateKeys":["{K2}"]}`, key: 2}}, 2, ErrKey},
		"old key signs the rotation":      {[]step{{parameters: first}, {parameters: `{"updateKeys":["{K2}"]}`}, {parameters: `{}`, key: 2}}, 0, good},
		"old key after the rotation":      {[]step{{parameters: first}, {parameters: `{"updateKeys":["{K2}"]}`}, {parameters: `{}`}}, 3, ErrKey},
		"no more updates":                 {[]step{{parameters: first}, {parameters: `{"updateKeys":[]}`}, {parameters: `{}`}}, 3, ErrKey},
		"no proof":                        {[]step{{parameters: first, after: set("proof", []any{})}}, 1, ErrMalformed},
		"proof not in a list":             {[]step{{parameters: first, after: func(o *strictjson.Object) { v, _ := o.Get("proof"); o.Set("proof", v.([]any)[0]) }}}, 1, ErrMalformed},
		"proof a text":                    {[]step{{parameters: first, after: set("proof", []any{"z"})}}, 1, ErrMalformed},
		"two good proofs":                 {[]step{{parameters: first, after: proofs(func(l []any) []any { return append(l, l[0]) })}}, 0, good},
		"three good proofs":               {[]step{{parameters: first, after: proofs(func(l []any) []any { return []any{l[0], l[0], l[0]} })}}, 1, ErrMalformed},
		"a good proof and a bad one":      {[]step{{parameters: first, after: proofs(func(l []any) []any { return append(l, strictjson.NewObject()) })}}, 1, ErrProof},
		"proof of another suite":          {[]step{{parameters: first, after: proof("cryptosuite", "ecdsa-jcs-2019")}}, 1, ErrProof},
		"proof of eddsa-rdfc-2022":        {[]step{{parameters: first, after: proof("cryptosuite", "eddsa-rdfc-2022")}}, 1, ErrProof},
		"proof of no suite":               {[]step{{parameters: first, after: proof("cryptosuite", nil)}}, 1, ErrProof},
		"proof for authentication":        {[]step{{parameters: first, after: proof("proofPurpose", "authentication")}}, 1, ErrProof},
		"proof for nothing":               {[]step{{parameters: first, after: proof("proofPurpose", nil)}}, 1, ErrProof},
		"proof of another type":           {[]step{{parameters: first, after: proof("type", "Ed25519Signature2020")}}, 1, ErrProof},
		"proof made later":                {[]step{{parameters: first, after: proof("created", "2026-01-01T00:00:00Z")}}, 1, ErrProof},
		"proof with a context":            {[]step{{parameters: first, after: proof("@context", []any{"https://w3id.org/security/data-integrity/v2"})}}, 1, ErrProof},
		"proof with one more member":      {[]step{{parameters: first, after: proof("domain", "rivers.example")}}, 1, ErrProof},
		"proof that has expired":          {[]step{{parameters: first, after: signed("expires", "2026-11-21T12:00:00Z")}}, 1, ErrProof},
		"proof that has not yet":          {[]step{{parameters: first, after: signed("expires", "2026-11-21T12:00:01Z")}}, 0, good},
		"proof that expires some time":    {[]step{{parameters: first, after: signed("expires", "soon")}}, 1, ErrProof},
		"proof with a member of its own":  {[]step{{parameters: first, after: signed("nonce", "heron")}}, 0, good},
		"proof signed for other purposes": {[]step{{parameters: first, after: signed("proofPurpose", "authentication")}}, 1, ErrProof},
		"signed: key without fragment":    {[]step{{parameters: first, after: signed("verificationMethod", "did:key:"+multikeyText(1))}}, 1, ErrProof},
		"signed: key alone":               {[]step{{parameters: first, after: signed("verificationMethod", multikeyText(1)+"#"+multikeyText(1))}}, 1, ErrProof},
		"signed: body A, fragment B":      {[]step{{parameters: first, after: signed("verificationMethod", "did:key:"+multikeyText(1)+"#"+multikeyText(2))}}, 1, ErrProof},
		"signed: body B, fragment A":      {[]step{{parameters: first, after: signed("verificationMethod", "did:key:"+multikeyText(2)+"#"+multikeyText(1))}}, 1, ErrProof},
		"signed: key twice more":          {[]step{{parameters: first, after: signed("verificationMethod", "did:key:"+multikeyText(1)+"#"+multikeyText(1)+"#"+multikeyText(1))}}, 1, ErrProof},
		"proof value of base64":           {[]step{{parameters: first, after: proof("proofValue", "uAAAA")}}, 1, ErrProof},
		"proof value of nothing":          {[]step{{parameters: first, after: proof("proofValue", "z")}}, 1, ErrProof},
		"proof value of zeros":            {[]step{{parameters: first, after: proof("proofValue", "z"+strings.Repeat("1", 64))}}, 1, ErrProof},
		"method without fragment":         {[]step{{parameters: first, after: proof("verificationMethod", "did:key:"+multikeyText(1))}}, 1, ErrProof},
		"method of body A, fragment B":    {[]step{{parameters: first, after: proof("verificationMethod", "did:key:"+multikeyText(1)+"#"+multikeyText(2))}}, 1, ErrProof},
		"method of body B, fragment A":    {[]step{{parameters: first, after: proof("verificationMethod", "did:key:"+multikeyText(2)+"#"+multikeyText(1))}}, 1, ErrProof},
		"method of the key alone":         {[]step{{parameters: first, after: proof("verificationMethod", multikeyText(1)+"#"+multikeyText(1))}}, 1, ErrProof},
		"method of another key":           {[]step{{parameters: first, after: proof("verificationMethod", "did:key:"+multikeyText(2)+"#"+multikeyText(2))}}, 1, ErrKey},
		"method missing":                  {[]step{{parameters: first, after: proof("verificationMethod", nil)}}, 1, ErrProof},
		"method of a listed key, not its": {[]step{{parameters: strings.Replace(first, `"{K1}"`, `"{K1}","{K2}"`, 1), after: proof("verificationMethod", "did:key:"+multikeyText(2)+"#"+multikeyText(2))}}, 1, ErrProof},
		"second of two keys":              {[]step{{parameters: strings.Replace(first, `"{K1}"`, `"{K1}","{K2}"`, 1), key: 2}}, 0, good},

		// Pre-rotation.
		"announced key":               {[]step{{parameters: firstNext}, {parameters: `{"updateKeys":["{K2}"],"nextKeyHashes":["{H3}"]}`, key: 2}}, 0, good},
		"both announced keys":         {[]step{{parameters: firstNext}, {parameters: `{"updateKeys":["{K3}","{K2}"],"nextKeyHashes":[]}`, key: 2}}, 0, good},
		"key not announced":           {[]step{{parameters: firstNext}, {parameters: `{"updateKeys":["{K4}"],"nextKeyHashes":["{H3}"]}`, key: 4}}, 2, ErrKey},
		"one key not announced":       {[]step{{parameters: firstNext}, {parameters: `{"updateKeys":["{K2}","{K4}"],"nextKeyHashes":["{H3}"]}`, key: 2}}, 2, ErrKey},
		"old key, not announced":      {[]step{{parameters: firstNext}, {parameters: `{"updateKeys":["{K1}"],"nextKeyHashes":["{H3}"]}`}}, 2, ErrKey},
		"old key kept beside the new": {[]step{{parameters: firstNext}, {parameters: `{"updateKeys":["{K2}","{K1}"],"nextKeyHashes":["{H3}"]}`, key: 2}}, 2, ErrKey},
		"announced, signed by old":    {[]step{{parameters: firstNext}, {parameters: `{"updateKeys":["{K2}"],"nextKeyHashes":["{H3}"]}`}}, 2, ErrKey},
		"keys inherited":              {[]step{{parameters: firstNext}, {parameters: `{"nextKeyHashes":["{H3}"]}`}}, 2, ErrKey},
		"keys inherited, announced":   {[]step{{parameters: strings.Replace(firstNext, "{H2}", "{H1}", 1)}, {parameters: `{"nextKeyHashes":["{H3}"]}`}}, 2, ErrKey},
		"next inherited, announced":   {[]step{{parameters: strings.Replace(firstNext, "{H2}", "{H1}", 1)}, {parameters: `{"updateKeys":["{K1}"]}`}}, 2, ErrKey},
		"old key announced again":     {[]step{{parameters: strings.Replace(firstNext, "{H2}", "{H1}", 1)}, {parameters: `{"updateKeys":["{K1}"],"nextKeyHashes":["{H3}"]}`}}, 0, good},
		"keys null while on":          {[]step{{parameters: firstNext}, {parameters: `{"updateKeys":null,"nextKeyHashes":["{H3}"]}`, key: 2}}, 2, ErrKey},
		"keys empty while on":         {[]step{{parameters: firstNext}, {parameters: `{"updateKeys":[],"nextKeyHashes":[]}`, key: 2}}, 2, ErrKey},
		"next inherited":              {[]step{{parameters: firstNext}, {parameters: `{"updateKeys":["{K2}"]}`, key: 2}}, 2, ErrKey},
		"nothing stated":              {[]step{{parameters: firstNext}, {parameters: `{}`}}, 2, ErrKey},
		"off, then an ordinary entry": {[]step{{parameters: firstNext}, {parameters: `{"updateKeys":["{K2}"],"nextKeyHashes":[]}`, key: 2}, {parameters: `{"updateKeys":["{K4}"]}`, key: 2}, {parameters: `{}`, key: 4}}, 0, good},
		"off, but not in that entry":  {[]step{{parameters: firstNext}, {parameters: `{"updateKeys":["{K4}"],"nextKeyHashes":[]}`, key: 4}}, 2, ErrKey},
		"off, new key in its own":     {[]step{{parameters: firstNext}, {parameters: `{"updateKeys":["{K2}"],"nextKeyHashes":[]}`, key: 2}, {parameters: `{"updateKeys":["{K4}"]}`, key: 4}}, 3, ErrKey},
		"announced one entry earlier": {[]step{{parameters: firstNext}, {parameters: `{"updateKeys":["{K2}"],"nextKeyHashes":["{H4}"]}`, key: 2}, {parameters: `{"updateKeys":["{K3}"],"nextKeyHashes":["{H5}"]}`, key: 3}}, 3, ErrKey},
		"hash in multibase":           {[]step{{parameters: strings.Replace(firstNext, "{H2}", "z{H2}", 1)}, {parameters: `{"updateKeys":["{K2}"],"nextKeyHashes":[]}`, key: 2}}, 2, ErrKey},
		"turned on later":             {[]step{{parameters: first}, {parameters: `{"nextKeyHashes":["{H2}"]}`}, {parameters: `{"updateKeys":["{K2}"],"nextKeyHashes":[]}`, key: 2}}, 0, good},
		"turned on later, not kept":   {[]step{{parameters: first}, {parameters: `{"nextKeyHashes":["{H2}"]}`}, {parameters: `{}`}}, 3, ErrKey},

		// Times.
		"time of another zone":     {[]step{{parameters: first, time: "2026-01-01T01:00:00+01:00"}}, 1, ErrTime},
		"time without zone":        {[]step{{parameters: first, time: "2026-01-01T01:00:00"}}, 1, ErrTime},
		"time with zone zero":      {[]step{{parameters: first, time: "2026-01-01T01:00:00+00:00"}}, 0, good},
		"time with minus zero":     {[]step{{parameters: first, time: "2026-01-01T01:00:00-00:00"}}, 1, ErrTime},
		"time with a fraction":     {[]step{{parameters: first, time: "2026-01-01T01:00:00.25Z"}}, 0, good},
		"time a date":              {[]step{{parameters: first, time: "2026-01-01"}}, 1, ErrTime},
		"time a number":            {[]step{{parameters: first, before: set("versionTime", int64(2026))}}, 1, ErrMalformed},
		"same time":                {[]step{{parameters: first, time: "2026-01-01T01:00:00Z"}, {parameters: `{}`, time: "2026-01-01T01:00:00Z"}}, 2, ErrTime},
		"same time, other words":   {[]step{{parameters: first, time: "2026-01-01T01:00:00Z"}, {parameters: `{}`, time: "2026-01-01T01:00:00.000+00:00"}}, 2, ErrTime},
		"time before":              {[]step{{parameters: first, time: "2026-01-01T01:00:00Z"}, {parameters: `{}`, time: "2026-01-01T00:59:59Z"}}, 2, ErrTime},
		"five minutes ahead":       {[]step{{parameters: first, time: "2026-11-21T12:05:00Z"}}, 0, good},
		"more than five ahead":     {[]step{{parameters: first, time: "2026-11-21T12:05:00.001Z"}}, 1, ErrTime},
		"ahead, in a middle entry": {[]step{{parameters: first}, {parameters: `{}`, time: "2026-11-21T13:00:00Z"}, {parameters: `{}`, time: "2026-11-21T14:00:00Z"}}, 2, ErrTime},

		// The document and its name.
		"no id":                        {[]step{{parameters: first, state: `{}`}}, 1, ErrState},
		"id of another method":         {[]step{{parameters: first, state: `{"id":"did:web:rivers.example"}`}}, 1, ErrState},
		"id a DID URL":                 {[]step{{parameters: first, state: `{"id":"{DID}#a"}`}}, 1, ErrState},
		"id with a path":               {[]step{{parameters: first, state: `{"id":"{DID}/a"}`}}, 1, ErrState},
		"id of an address":             {[]step{{parameters: first, state: `{"id":"did:webvh:{SCID}:127.0.0.1"}`}}, 1, ErrState},
		"id with the placeholder":      {[]step{{parameters: first}, {parameters: `{}`, state: `{"id":"did:webvh:{SCID}:rivers.example"}`}}, 2, ErrState},
		"id of another SCID":           {[]step{{parameters: first, state: `{"id":"did:webvh:` + otherSCID + `:rivers.example"}`}}, 1, ErrSCID},
		"id of another SCID later":     {[]step{{parameters: first}, {parameters: `{}`, state: `{"id":"did:webvh:` + otherSCID + `:rivers.example"}`}}, 2, ErrSCID},
		"state a list":                 {[]step{{parameters: first, before: set("state", []any{})}}, 1, ErrMalformed},
		"move":                         {[]step{{parameters: firstMoving}, {parameters: `{}`, state: moved(`"{DID}"`, moving)}}, 0, good},
		"move without saying":          {[]step{{parameters: firstMoving}, {parameters: `{}`, state: moved(``, moving)}}, 2, ErrState},
		"move from elsewhere":          {[]step{{parameters: firstMoving}, {parameters: `{}`, state: moved(`"{DID}:a"`, moving)}}, 2, ErrState},
		"move with another SCID":       {[]step{{parameters: firstMoving}, {parameters: `{}`, state: moved(`"{DID}"`, otherSCID)}}, 2, ErrSCID},
		"move though not portable":     {[]step{{parameters: first}, {parameters: `{}`, state: moved(`"{DID}"`, scidOf(step{parameters: first}))}}, 2, ErrState},
		"move as portable ends":        {[]step{{parameters: firstMoving}, {parameters: `{"portable":false}`, state: moved(`"{DID}"`, moving)}}, 2, ErrState},
		"move after portable ended":    {[]step{{parameters: firstMoving}, {parameters: `{"portable":false}`}, {parameters: `{}`, state: moved(`"{DID}"`, moving)}}, 3, ErrState},
		"move beside a list of others": {[]step{{parameters: firstMoving}, {parameters: `{}`, state: moved(`[],{},1,"{DID}"`, moving)}}, 0, good},

		// The end.
		"deactivated":                  {[]step{{parameters: first}, {parameters: `{"deactivated":true,"updateKeys":[]}`}}, 0, good},
		"entry after the end":          {[]step{{parameters: first}, {parameters: `{"deactivated":true}`}, {parameters: `{}`}}, 3, ErrDeactivated},
		"deactivated no more":          {[]step{{parameters: first}, {parameters: `{"deactivated":true}`}, {parameters: `{"deactivated":false}`}}, 3, ErrDeactivated},
		"deactivated in the first":     {[]step{{parameters: withParameters(`"deactivated":true`)}}, 0, good},
		"one more member":              {[]step{{parameters: first, before: set("note", "x")}}, 1, ErrMalformed},
		"member missing":               {[]step{{parameters: first, before: func(o *strictjson.Object) { o.Delete("versionTime") }}}, 1, ErrMalformed},
		"parameters a list":            {[]step{{parameters: first}, {parameters: `{}`, before: set("parameters", []any{})}}, 2, ErrMalformed},
		"placeholder in a later entry": {[]step{{parameters: first}, {parameters: `{}`, state: `{"id":"{DID}","note":"{SCID}"}`}}, 0, good},
		"SCID elsewhere in the first":  {[]step{{parameters: first, state: `{"id":"{DID}","note":"{SCID} {SCID}","{SCID}":1}`}}, 0, good},
		"large number in the first":    {[]step{{parameters: first, state: `{"id":"{DID}","n":1e20}`}}, 0, good},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := OpenLog(writeLog(t, c.steps...), nil, now)
			if c.want == nil {
				require.NoError(t, err)
				require.Equal(t, len(c.steps), l.Len())
				return
			}
			require.Nil(t, l)
			var at *EntryError
			require.ErrorAs(t, err, &at)
			require.Equal(t, c.entry, at.Entry)
			require.ErrorIs(t, err, c.want)
			require.NotEqual(t, c.want == did.ErrUnsupported, isInvalid(err))
		})
	}
}

func isInvalid(err error) bool { return errors.Is(err, did.ErrInvalid) }

// TestAbuse_DW09_ChosenSCID has a first entry whose hash and signature are good but whose
// SCID was chosen: it is another DID's, whose name a thief would like to have.
func TestAbuse_DW09_ChosenSCID(t *testing.T) {
	t.Parallel()
	victim := mustOpen(t, writeLog(t, step{parameters: first, time: "2026-01-01T00:00:00Z"}))
	scid := victim.entries[0].name.scid
	for name, chosen := range map[string]string{"another's": scid, "any": hashText([]byte("any"))} {
		fillIn := func(text string) string {
			return strings.ReplaceAll(strings.ReplaceAll(text, "{K1}", multikeyText(7)), placeholder, chosen)
		}
		tree := strictjson.NewObject(
			strictjson.Member{Name: "versionId", Value: chosen},
			strictjson.Member{Name: "versionTime", Value: "2026-01-02T00:00:00Z"},
			strictjson.Member{Name: "parameters", Value: parseObject(t, fillIn(first))},
			strictjson.Member{Name: "state", Value: parseObject(t, fillIn(`{"id":"did:webvh:{SCID}:rivers.example"}`))},
		)
		// As a second entry would be written, so that no SCID is computed.
		line, err := writeEntry(context.Background(), tree, 2, chosen, keySigner(t, 7), now)
		require.NoError(t, err)
		tree.Delete("proof")
		id, _ := tree.Text("versionId")
		tree.Set("versionId", "1-"+strings.TrimPrefix(id, "2-"))
		proof, err := sign(context.Background(), tree, keySigner(t, 7), now)
		require.NoError(t, err)
		tree.Set("proof", []any{proof})
		line, err = strictjson.Append(line[:0], tree)
		require.NoError(t, err)
		_, err = OpenLog(line, nil, now)
		require.ErrorIs(t, err, ErrSCID, name)
		_, err = resolveAt(t, site{log: line}, victim.DID(), did.Version{})
		require.ErrorIs(t, err, ErrSCID, name)
	}
}

// TestReplace is the text replacement of section SCID Generation and Verification.
func TestReplace(t *testing.T) {
	t.Parallel()
	v, err := replace(parseObject(t, `{"a":["xax",1,true,null,{"xa":"x"}]}`), "x", "yy")
	require.NoError(t, err)
	text, err := strictjson.Append(nil, v)
	require.NoError(t, err)
	require.Equal(t, `{"a":["yyayy",1,true,null,{"yya":"yy"}]}`, string(text))
	_, err = replace(parseObject(t, `{"a":[{"x":1,"yy":2}]}`), "x", "yy")
	require.ErrorIs(t, err, ErrMalformed)
}
