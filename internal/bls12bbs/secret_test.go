package bls12bbs

import (
	"crypto/rand"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	curve "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
	"github.com/stretchr/testify/require"

	"github.com/staffpassport/staffpassport/internal/vectors"
)

// edgeScalars are those at which a recoding goes wrong, and some others.
func edgeScalars() []fr.Element {
	var out []fr.Element
	add := func(v *big.Int) { out = append(out, *new(fr.Element).SetBigInt(v)) }
	r := fr.Modulus()
	for i := range int64(40) {
		add(big.NewInt(i))
		add(new(big.Int).Sub(r, big.NewInt(i)))
	}
	for bit := uint(4); bit < 255; bit += 3 {
		p := new(big.Int).Lsh(big.NewInt(1), bit)
		add(p)
		add(new(big.Int).Sub(p, big.NewInt(1)))
		add(new(big.Int).Sub(r, p))
	}
	for range 50 {
		out = append(out, randomScalar(rand.Reader))
	}
	return out
}

func TestSecretMultiply(t *testing.T) {
	t.Parallel()
	g := forMessages(2, Scheme{})
	point := g.bases[2].point
	scalars := edgeScalars()
	step := vectors.Step(t, "scalars", 5)
	for i := 0; i < len(scalars); i += step {
		s := scalars[i]
		var want curve.G1Affine
		want.ScalarMultiplication(&point, bigInt(&s))
		got := secretMultiply(&point, &s)
		require.True(t, want.Equal(&got), scalarHex(&s))
	}
}

func TestSums(t *testing.T) {
	t.Parallel()
	scalars := edgeScalars()
	g := forMessages(8, Scheme{})
	for i := range g.bases {
		if g.bases[i].wide.Load() == nil {
			g.bases[i].wide.Store(newWideTable(&g.bases[i].point))
		}
	}
	slow := g.withoutTables()
	regular := *slow
	regular.regular = true
	withOdd(g.bases)
	step := 7 * vectors.Step(t, "sums", 5)
	for i := 0; i+8 <= len(scalars); i += step {
		var want, one curve.G1Jac
		terms := make([]term, 8)
		for j := range 8 {
			b := g.bases[2+j]
			one.FromAffine(&b.point)
			one.ScalarMultiplication(&one, bigInt(&scalars[i+j]))
			want.AddAssign(&one)
			terms[j] = term{b.odd.Load(), &scalars[i+j]}
		}
		got := secretSum(terms)
		require.True(t, want.Equal(&got))
		for _, g := range []*generators{g, slow, &regular} {
			for _, add := range []func(*curve.G1Jac, []*base, []fr.Element){g.publicSum, g.verifierSum} {
				var sum curve.G1Jac
				add(&sum, g.bases[2:10], scalars[i:i+8])
				require.True(t, want.Equal(&sum))
				sum.SubAssign(&want)
				add(&sum, fresh(g.bases[2:10]), scalars[i:i+8])
				require.True(t, want.Equal(&sum))
			}
		}
	}
}

func TestRecode(t *testing.T) {
	t.Parallel()
	for _, s := range edgeScalars() {
		k := new(big.Int)
		for i, n := range recode(&s) {
			require.True(t, n < 16)
			d := new(big.Int).Lsh(big.NewInt(2*int64(n)-15), uint(4*i))
			k.Add(k, d)
		}
		require.EqualValues(t, 1, k.Bit(0))
		require.Equal(t, scalarHex(&s), scalarHex(new(fr.Element).SetBigInt(k)))
	}
	words := modulus()
	for i, w := range words {
		word := new(big.Int).Rsh(fr.Modulus(), uint(64*i))
		require.Equal(t, w, word.And(word, new(big.Int).SetUint64(math.MaxUint64)).Uint64())
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	g := forMessages(1, Scheme{})
	b := g.bases[1]
	withOdd(g.bases[1:2])
	for n := range uint64(16) {
		var want curve.G1Affine
		want.ScalarMultiplication(&b.point, big.NewInt(2*int64(n)-15))
		got := b.odd.Load()[0].lookup(n)
		require.True(t, want.Equal(&got), n)
	}
}

func TestSecretInverse(t *testing.T) {
	t.Parallel()
	for range 20 {
		a, b := randomScalar(rand.Reader), randomScalar(rand.Reader)
		got, ok := secretInverse(&a, &b)
		require.True(t, ok)
		var sum fr.Element
		sum.Add(&a, &b)
		require.True(t, sum.Mul(&sum, &got).IsOne())
		b.Neg(&a)
		_, ok = secretInverse(&a, &b)
		require.False(t, ok)
	}
}

func TestReduce(t *testing.T) {
	t.Parallel()
	for _, fill := range []byte{0, 1, 0x7f, 0x80, 0xff} {
		b := make([]byte, expandLen)
		for i := range b {
			b[i] = fill
		}
		got := reduce(b)
		want := new(big.Int).Mod(new(big.Int).SetBytes(b), fr.Modulus())
		require.Equal(t, want.String(), bigInt(&got).String())
	}
}

// TestSecretsTakeTheRegularPath holds what the package comment says: which functions
// call something of the library, or of this package, that takes a scalar's time.
// A new caller is a decision to be made and written down, not an accident.
func TestSecretsTakeTheRegularPath(t *testing.T) {
	t.Parallel()
	variable := map[string]bool{
		"ScalarMultiplication": true, "ScalarMultiplicationBase": true, "JointScalarMultiplication": true,
		"JointScalarMultiplicationBase": true, "MultiExp": true, "Fold": true, "Inverse": true, "Div": true,
		"BigInt": true, "bigInt": true, "BatchScalarMultiplicationG1": true, "Exp": true, "Cmp": true,
		"publicSum": true, "verifierSum": true, "tableSum": true, "addTo": true, "BatchInvert": true,
	}
	allowed := map[string]string{
		"bigInt":            "is one of them",
		"holds":             "a signature that is being verified by itself",
		"verifyInit":        "a verifier's values",
		"commitment":        "messages: see the package comment",
		"publicSum":         "is one of them",
		"verifierSum":       "is one of them",
		"tableSum":          "is one of them",
		"secretInverse":     "of a random multiple",
		"secretPublicPoint": "by random shares",
	}
	found := map[string]bool{}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				name := ""
				switch fun := call.Fun.(type) {
				case *ast.Ident:
					name = fun.Name
				case *ast.SelectorExpr:
					name = fun.Sel.Name
				}
				if variable[name] {
					found[fn.Name.Name] = true
					require.Contains(t, allowed, fn.Name.Name, "%s calls %s", fn.Name.Name, name)
				}
				return true
			})
		}
	}
	for name := range allowed {
		require.Contains(t, found, name, "no longer needs to be allowed")
	}
}

// BenchmarkSecretTiming compares the time of a regular multiplication by a scalar of
// few bits with that by a random one, as dudect does: |t| well below 4.5 over many
// runs says that they cannot be told apart. The library's multiplication shows what
// the figure is otherwise.
func BenchmarkSecretTiming(b *testing.B) {
	point := forMessages(1, Scheme{}).bases[2].point
	var small fr.Element
	small.SetUint64(3)
	for name, multiply := range map[string]func(s *fr.Element){
		"regular": func(s *fr.Element) { secretMultiply(&point, s) },
		"library": func(s *fr.Element) { new(curve.G1Affine).ScalarMultiplication(&point, bigInt(s)) },
	} {
		b.Run(name, func(b *testing.B) {
			var n, sum, squares [2]float64
			for i := 0; b.Loop(); i++ {
				class := i & 1
				s := small
				if class == 1 {
					s = randomScalar(rand.Reader)
				}
				start := time.Now()
				multiply(&s)
				took := float64(time.Since(start).Nanoseconds())
				if took < 2e6 { // not those that were interrupted
					n[class]++
					sum[class] += took
					squares[class] += took * took
				}
			}
			var mean, variance [2]float64
			for c := range 2 {
				mean[c] = sum[c] / n[c]
				variance[c] = squares[c]/n[c] - mean[c]*mean[c]
			}
			b.ReportMetric(math.Abs(mean[0]-mean[1])/math.Sqrt(variance[0]/n[0]+variance[1]/n[1]), "|t|")
		})
	}
}
