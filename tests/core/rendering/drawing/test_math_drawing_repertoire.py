"""Formulas as models write them: nearly all can be drawn, and those that cannot stay source."""

from __future__ import annotations

from chatdesk.core.rendering.drawing.math_drawing import draw_formula

FORMULAS = [
    r"a^2 + b^2 = c^2",
    r"x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}",
    r"e^{i\pi} + 1 = 0",
    r"\sum_{n=1}^{\infty} \frac{1}{n^2} = \frac{\pi^2}{6}",
    r"\int_{-\infty}^{\infty} e^{-x^2}\,dx = \sqrt{\pi}",
    r"\lim_{x \to 0} \frac{\sin x}{x} = 1",
    r"\frac{\partial f}{\partial x}",
    r"\nabla \cdot \mathbf{E} = \frac{\rho}{\varepsilon_0}",
    r"\nabla \times \vec{B} = \mu_0 \vec{J}",
    r"\mathbf{A} = \begin{pmatrix} a & b \\ c & d \end{pmatrix}",
    r"\begin{bmatrix} 1 & 0 \\ 0 & 1 \end{bmatrix}",
    r"\begin{vmatrix} a & b \\ c & d \end{vmatrix} = ad - bc",
    r"f(x) = \begin{cases} x & x \ge 0 \\ -x & x < 0 \end{cases}",
    r"\begin{aligned} a &= b + c \\ &= d \end{aligned}",
    r"\begin{align} x &= 1 \\ y &= 2 \end{align}",
    r"\binom{n}{k} = \frac{n!}{k!(n-k)!}",
    r"P(A \mid B) = \frac{P(B \mid A)\,P(A)}{P(B)}",
    r"\mathbb{E}[X] = \int x\,f(x)\,dx",
    r"\operatorname{Var}(X) = \mathbb{E}[X^2] - \mathbb{E}[X]^2",
    r"X \sim \mathcal{N}(\mu, \sigma^2)",
    r"\hat{\beta} = (X^\top X)^{-1} X^\top y",
    r"\forall x \in \mathbb{R},\ \exists y : x < y",
    r"A \cup B = \{x : x \in A \lor x \in B\}",
    r"A \setminus B \subseteq C \cap \overline{D}",
    r"p \implies q \iff \neg p \lor q",
    r"\left( \frac{a}{b} \right)^n",
    r"\left| \frac{x}{y} \right| \le 1",
    r"\left\lfloor \frac{n}{2} \right\rfloor + \left\lceil \frac{n}{2} \right\rceil",
    r"\lVert v \rVert_2 = \sqrt{\sum_i v_i^2}",
    r"\langle u, v \rangle",
    r"O(n \log n)",
    r"\Theta(n^2) \gg \Omega(n)",
    r"\prod_{i=1}^{n} x_i",
    r"\oint_C \vec{F} \cdot d\vec{r}",
    r"\iint_D f \, dA",
    r"\iiint_V \rho \, dV",
    r"\dot{x} = Ax + By",
    r"\ddot{\theta} + \frac{g}{l}\sin\theta = 0",
    r"i\hbar \frac{\partial}{\partial t} \Psi = \hat{H} \Psi",
    r"E = mc^2",
    r"F = G \frac{m_1 m_2}{r^2}",
    r"\alpha, \beta, \gamma, \delta, \epsilon, \zeta, \eta, \theta, \lambda, \mu, \xi, \phi, \chi, \psi, \omega",
    r"\Gamma, \Delta, \Theta, \Lambda, \Xi, \Pi, \Sigma, \Phi, \Psi, \Omega",
    r"x \equiv y \pmod{n}",
    r"a \mid b \nmid c",
    r"\sqrt[3]{27} = 3",
    r"1 + \cfrac{1}{2 + \cfrac{1}{3}}",
    r"\underbrace{1 + 1 + \dots + 1}_{n}",
    r"\overbrace{a + b}^{\text{sum}}",
    r"\overline{z} = \operatorname{Re} z - i \operatorname{Im} z",
    r"x_1, x_2, \ldots, x_n",
    r"\text{if } x > 0 \text{ then } y",
    r"\max_{\theta} \log p(x \mid \theta)",
    r"\arg\min_{w} L(w)",
    r"\sigma(x) = \frac{1}{1 + e^{-x}}",
    r"\mathrm{softmax}(z)_i = \frac{e^{z_i}}{\sum_j e^{z_j}}",
    r"D_{KL}(P \parallel Q)",
    r"f: A \to B,\ x \mapsto x^2",
    r"\Pr[X \geq t] \leq \frac{\mathbb{E}[X]}{t}",
    r"90^\circ = \tfrac{\pi}{2}",
]


def test_nearly_all_can_be_drawn() -> None:
    assert len(FORMULAS) == 60
    left = [tex for tex in FORMULAS if draw_formula(tex, is_display=True) is None]
    assert len(left) <= 1, left
