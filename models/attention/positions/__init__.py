"""Positional encodings of the transformer, one in a file.

Attention alone does not distinguish the order of the symbols that it sees. With position t, head
width or model width d and frequencies ω_i = 10000^(-2i/d)::

    none            nothing (a causal mask alone still reveals how many symbols came before)
    sinusoidal      x_t + (sin ω_0 t, cos ω_0 t, sin ω_1 t, ...)         Vaswani 2017, 1706.03762
    learned         x_t + P[t], a trained table of finite length
    binary          x_t + W (b_0, b_1, ...), the binary digits of t, as -1 and 1
    rope            query and key pairs rotated by the angle ω_i t       Su 2021, 2104.09864
    alibi           score(i, j) - m_h |i - j|, slope m_h = 2^(-8h/H)     Press 2022, 2108.12409
    relative        vectors for distances, added to keys and values      Shaw 2018, 1803.02155
    t5              a number for each head and bucket of distances       Raffel 2020, 1910.10683
    transformer-xl  a trained map of sinusoids of the distance           Dai 2019, 1901.02860

Sinusoidal, learned and binary encodings are added to the stream (`added`); the others act on
queries and keys within attention (`relative`). Each can use randomised positions (`randomised`)
in place of 0, 1, 2, ...

The default is rope: most present models use it, its scores depend on distances alone, it has no
table of finite length, and unlike ALiBi it does not assume that nearby symbols matter most.
"""
