package verify_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/strictjson"
	"github.com/staffpassport/staffpassport/vc"
	"github.com/staffpassport/staffpassport/vc/cose"
	"github.com/staffpassport/staffpassport/vc/jose"
	"github.com/staffpassport/staffpassport/vc/sdjwt"
	"github.com/staffpassport/staffpassport/vc/verify"
)

// TestAbuse_LG01_Forms: results and errors of every form show no claim.
func TestAbuse_LG01_Forms(t *testing.T) {
	t.Parallel()
	canaries := []string{"rowan.tamar@riverside.example", "AB123456C", "1987-06-05"}
	var out strings.Builder
	logger := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	show := func(values ...any) {
		for _, v := range values {
			logger.Debug("x", "v", v)
			for _, verb := range []string{"%v", "%+v", "%s"} {
				fmt.Fprintf(&out, verb, v)
			}
		}
	}
	for _, f := range forms() {
		good := matrixCase{}.make(t, f)
		v := matrixCase{}.setUp(t, f)
		c, err := v.Credential(context.Background(), good)
		require.NoError(t, err, f.name())
		show(c, c.Checks(), good)
		show(fmt.Sprintf("%#v", c))
		for _, change := range []struct{ old, new string }{
			{`"dateOfBirth"`, `"dateofBirth"`}, {`"firstName"`, `"dateOfBirt"`}, {`1987-06-05`, `1987-06-0\`}, {`"Band 6"`, `"\uD800"`},
			{"2027-03-01T00:00:00Z", "AB123456C AB123456C."},
		} {
			if len(change.old) != len(change.new) || sdJWTVC(f) && strings.HasPrefix(change.old, "2027") {
				continue
			}
			_, err := v.Credential(context.Background(), f.edit(t, good, change.old, change.new))
			require.Error(t, err, "%s %s", f.name(), change.new)
			show(err)
			var e *verify.Error
			require.ErrorAs(t, err, &e)
			show(e.Checks)
		}
		_, err = v.Credential(context.Background(), f.flip(t, good))
		show(err)
		cut := vc.Secured{MediaType: good.MediaType, Bytes: good.Bytes[:len(good.Bytes)/2]}
		_, err = v.Credential(context.Background(), cut)
		require.Error(t, err)
		show(err)
	}
	for _, canary := range canaries {
		require.NotContains(t, out.String(), canary)
		require.NotContains(t, out.String(), base64.RawURLEncoding.EncodeToString([]byte(canary))[:12])
	}
}

// TestAbuse_CN05_Tokens is not parallel because it measures memory: the limits are
// those of documents, whatever they come in.
func TestAbuse_CN05_Tokens(t *testing.T) {
	payload := func(value string) []byte {
		b, err := strictjson.Append(nil, func() *strictjson.Object { o, _ := passport(t).Object(); return o }())
		require.NoError(t, err)
		return bytes.Replace(b, []byte(`"payBand":"Band 6"`), []byte(`"payBand":`+value), 1)
	}
	compact := func(b []byte) []byte {
		return []byte(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"EdDSA","typ":"vc+jwt"}`)) + "." +
			base64.RawURLEncoding.EncodeToString(b) + ".AAAA")
	}
	tilde := func(b []byte) []byte {
		return []byte(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"EdDSA","typ":"vc+sd-jwt"}`)) + "." +
			base64.RawURLEncoding.EncodeToString(b) + ".AAAA~")
	}
	for _, c := range []struct {
		name, value string
		want        []verify.Code
	}{
		{"deep", strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), []verify.Code{verify.ErrTooDeep}},
		{"large", `"` + strings.Repeat("x", 10<<20) + `"`, []verify.Code{verify.ErrTooLarge, verify.ErrSyntax}},
		{"many values in 1 MiB", `[` + strings.Repeat("0,", 400_000) + `0]`, []verify.Code{verify.ErrTooLarge}},
	} {
		b := payload(c.value)
		for _, s := range []vc.Secured{
			{MediaType: jose.MediaTypeCredential, Bytes: compact(b)},
			{MediaType: sdjwt.MediaTypeCredential, Bytes: tilde(b)},
			{MediaType: cose.MediaTypeCredential, Bytes: sign1(t, employer(t), cose.MediaTypeCredential, signing{}, nil, b)},
		} {
			t.Run(c.name+" "+s.MediaType, func(t *testing.T) {
				enveloped := vc.Secured{MediaType: vc.MediaTypeCredential, Bytes: []byte(envelope(s))}
				v := verifier(t)
				for _, s := range []vc.Secured{s, enveloped} {
					var before, after runtime.MemStats
					runtime.ReadMemStats(&before)
					_, err := v.Credential(context.Background(), s)
					runtime.ReadMemStats(&after)
					var e *verify.Error
					require.ErrorAs(t, err, &e)
					require.Contains(t, c.want, e.Code, "%v", err)
					require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
				}
			})
		}
	}
}
