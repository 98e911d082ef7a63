"""References: every work that the app cites, in full, once. Elsewhere a work is cited by its short name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from explorer.choices.registry import Entry, registry


@dataclass(frozen=True, kw_only=True)
class Reference(Entry):
    """A work: `name` is how it is cited, `caption` is its title."""

    authors: str
    year: str  # Of what has none, "undated"
    venue: str  # Journal or proceedings, volume and pages
    link: str = ""  # DOI, arXiv or the publisher's page; empty where none is sure

    @property
    def before_link(self) -> str:
        """Authors, year, title and venue."""
        title = self.caption if self.caption.endswith("?") else f"{self.caption}."
        return f"{self.authors} ({self.year}). {title} {self.venue}."

    @property
    def text(self) -> str:
        """The whole reference."""
        return f"{self.before_link} {self.link}".rstrip()


def _reference(name: str, authors: str, title: str, venue: str, link: str = "", year: str = "") -> Reference:
    """A reference whose year stands in its short name, unless it is given."""
    return Reference(name=name, caption=title, authors=authors, year=year or name[-4:], venue=venue, link=link)


def _arxiv(number: str) -> str:
    return f"https://arxiv.org/abs/{number}"


def _doi(number: str) -> str:
    return f"https://doi.org/{number}"


REFERENCES = registry(
    [
        _reference(
            "Ba et al. 2016",
            "Ba, J. L., Kiros, J. R., Hinton, G. E.",
            "Layer normalization",
            "arXiv",
            _arxiv("1607.06450"),
        ),
        _reference(
            "Bengio 2012",
            "Bengio, Y.",
            "Practical recommendations for gradient-based training of deep architectures",
            "In: Neural Networks: Tricks of the Trade, 2nd ed., Lecture Notes in Computer Science 7700, Springer, 437–478",
            _arxiv("1206.5533"),
        ),
        _reference(
            "Bengio et al. 1994",
            "Bengio, Y., Simard, P., Frasconi, P.",
            "Learning long-term dependencies with gradient descent is difficult",
            "IEEE Transactions on Neural Networks 5(2), 157–166",
            _doi("10.1109/72.279181"),
        ),
        _reference(
            "Bengio et al. 2013",
            "Bengio, Y., Boulanger-Lewandowski, N., Pascanu, R.",
            "Advances in optimizing recurrent networks",
            "IEEE International Conference on Acoustics, Speech and Signal Processing (ICASSP)",
            _arxiv("1212.0901"),
        ),
        _reference(
            "Bergstra et al. 2009",
            "Bergstra, J., Desjardins, G., Lamblin, P., Bengio, Y.",
            "Quadratic polynomials learn better image features",
            "Technical Report 1337, Département d'informatique et de recherche opérationnelle, Université de Montréal",
        ),
        _reference(
            "Cho et al. 2014",
            "Cho, K., van Merriënboer, B., Gulcehre, C., Bahdanau, D., Bougares, F., Schwenk, H., Bengio, Y.",
            "Learning phrase representations using RNN encoder–decoder for statistical machine translation",
            "Conference on Empirical Methods in Natural Language Processing (EMNLP), 1724–1734",
            _arxiv("1406.1078"),
        ),
        _reference(
            "Choromanska et al. 2015",
            "Choromanska, A., Henaff, M., Mathieu, M., Ben Arous, G., LeCun, Y.",
            "The loss surfaces of multilayer networks",
            "International Conference on Artificial Intelligence and Statistics (AISTATS), PMLR 38, 192–204",
            _arxiv("1412.0233"),
        ),
        _reference(
            "Clevert et al. 2016",
            "Clevert, D.-A., Unterthiner, T., Hochreiter, S.",
            "Fast and accurate deep network learning by exponential linear units (ELUs)",
            "International Conference on Learning Representations (ICLR)",
            _arxiv("1511.07289"),
        ),
        _reference(
            "De & Smith 2020",
            "De, S., Smith, S. L.",
            "Batch normalization biases residual blocks towards the identity function in deep networks",
            "Advances in Neural Information Processing Systems (NeurIPS) 33",
            _arxiv("2002.10444"),
        ),
        _reference(
            "Dugas et al. 2001",
            "Dugas, C., Bengio, Y., Bélisle, F., Nadeau, C., Garcia, R.",
            "Incorporating second-order functional knowledge for better option pricing",
            "Advances in Neural Information Processing Systems (NIPS) 13, 472–478",
            "https://papers.nips.cc/paper/2000/hash/44968aece94f667e4095002d140b5896-Abstract.html",
        ),
        _reference(
            "Elfwing et al. 2018",
            "Elfwing, S., Uchibe, E., Doya, K.",
            "Sigmoid-weighted linear units for neural network function approximation in reinforcement learning",
            "Neural Networks 107, 3–11",
            _arxiv("1702.03118"),
        ),
        _reference(
            "Elman 1990",
            "Elman, J. L.",
            "Finding structure in time",
            "Cognitive Science 14(2), 179–211",
            _doi("10.1207/s15516709cog1402_1"),
        ),
        _reference(
            "Fenton 1960",
            "Fenton, L. F.",
            "The sum of log-normal probability distributions in scatter transmission systems",
            "IRE Transactions on Communications Systems 8(1), 57–67",
            _doi("10.1109/TCOM.1960.1097606"),
        ),
        _reference(
            "Fisher 1935",
            "Fisher, R. A.",
            "The logic of inductive inference",
            "Journal of the Royal Statistical Society 98(1), 39–82",
            _doi("10.2307/2342435"),
        ),
        _reference(
            "Furstenberg & Kesten 1960",
            "Furstenberg, H., Kesten, H.",
            "Products of random matrices",
            "Annals of Mathematical Statistics 31(2), 457–469",
            _doi("10.1214/aoms/1177705909"),
        ),
        _reference(
            "Gers et al. 2000",
            "Gers, F. A., Schmidhuber, J., Cummins, F.",
            "Learning to forget: Continual prediction with LSTM",
            "Neural Computation 12(10), 2451–2471",
            _doi("10.1162/089976600300015015"),
        ),
        _reference(
            "Ginibre 1965",
            "Ginibre, J.",
            "Statistical ensembles of complex, quaternion, and real matrices",
            "Journal of Mathematical Physics 6(3), 440–449",
            _doi("10.1063/1.1704292"),
        ),
        _reference(
            "Glorot & Bengio 2010",
            "Glorot, X., Bengio, Y.",
            "Understanding the difficulty of training deep feedforward neural networks",
            "International Conference on Artificial Intelligence and Statistics (AISTATS), PMLR 9, 249–256",
            "https://proceedings.mlr.press/v9/glorot10a.html",
        ),
        _reference(
            "Goodfellow et al. 2016",
            "Goodfellow, I., Bengio, Y., Courville, A.",
            "Deep learning",
            "MIT Press",
            "https://www.deeplearningbook.org",
        ),
        _reference(
            "Hanin 2018",
            "Hanin, B.",
            "Which neural net architectures give rise to exploding and vanishing gradients?",
            "Advances in Neural Information Processing Systems (NeurIPS) 31",
            _arxiv("1801.03744"),
        ),
        _reference(
            "Hanin & Nica 2020",
            "Hanin, B., Nica, M.",
            "Products of many large random matrices and gradients in deep neural networks",
            "Communications in Mathematical Physics 376, 287–322",
            _arxiv("1812.05994"),
        ),
        _reference(
            "He et al. 2015",
            "He, K., Zhang, X., Ren, S., Sun, J.",
            "Delving deep into rectifiers: Surpassing human-level performance on ImageNet classification",
            "IEEE International Conference on Computer Vision (ICCV), 1026–1034",
            _arxiv("1502.01852"),
        ),
        _reference(
            "He et al. 2016",
            "He, K., Zhang, X., Ren, S., Sun, J.",
            "Deep residual learning for image recognition",
            "IEEE Conference on Computer Vision and Pattern Recognition (CVPR), 770–778",
            _arxiv("1512.03385"),
        ),
        _reference(
            "Hendrycks & Gimpel 2016",
            "Hendrycks, D., Gimpel, K.",
            "Gaussian error linear units (GELUs)",
            "arXiv",
            _arxiv("1606.08415"),
        ),
        _reference(
            "Hochreiter 1991",
            "Hochreiter, S.",
            "Untersuchungen zu dynamischen neuronalen Netzen",
            "Diploma thesis, Technische Universität München",
            "https://people.idsia.ch/~juergen/SeppHochreiter1991ThesisAdvisorSchmidhuber.pdf",
        ),
        _reference(
            "Hochreiter & Schmidhuber 1997",
            "Hochreiter, S., Schmidhuber, J.",
            "Long short-term memory",
            "Neural Computation 9(8), 1735–1780",
            _doi("10.1162/neco.1997.9.8.1735"),
        ),
        _reference(
            "Ioffe & Szegedy 2015",
            "Ioffe, S., Szegedy, C.",
            "Batch normalization: Accelerating deep network training by reducing internal covariate shift",
            "International Conference on Machine Learning (ICML), PMLR 37, 448–456",
            _arxiv("1502.03167"),
        ),
        _reference(
            "Jaeger 2001",
            "Jaeger, H.",
            "The “echo state” approach to analysing and training recurrent neural networks",
            "GMD Report 148, German National Research Center for Information Technology",
            "https://www.ai.rug.nl/minds/uploads/EchoStatesTechRep.pdf",
        ),
        _reference(
            "Jozefowicz et al. 2015",
            "Jozefowicz, R., Zaremba, W., Sutskever, I.",
            "An empirical exploration of recurrent network architectures",
            "International Conference on Machine Learning (ICML), PMLR 37, 2342–2350",
            "https://proceedings.mlr.press/v37/jozefowicz15.html",
        ),
        _reference(
            "Karpathy 2022",
            "Karpathy, A.",
            "Neural networks: Zero to hero. Building makemore part 3: Activations and gradients, BatchNorm",
            "Video lecture with notebook",
            "https://github.com/karpathy/nn-zero-to-hero",
        ),
        _reference(
            "Kingma & Ba 2015",
            "Kingma, D. P., Ba, J.",
            "Adam: A method for stochastic optimization",
            "International Conference on Learning Representations (ICLR)",
            _arxiv("1412.6980"),
        ),
        _reference(
            "Klambauer et al. 2017",
            "Klambauer, G., Unterthiner, T., Mayr, A., Hochreiter, S.",
            "Self-normalizing neural networks",
            "Advances in Neural Information Processing Systems (NIPS) 30",
            _arxiv("1706.02515"),
        ),
        _reference(
            "Krizhevsky et al. 2012",
            "Krizhevsky, A., Sutskever, I., Hinton, G. E.",
            "ImageNet classification with deep convolutional neural networks",
            "Advances in Neural Information Processing Systems (NIPS) 25, 1097–1105",
            "https://papers.nips.cc/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html",
        ),
        _reference(
            "Le et al. 2015",
            "Le, Q. V., Jaitly, N., Hinton, G. E.",
            "A simple way to initialize recurrent networks of rectified linear units",
            "arXiv",
            _arxiv("1504.00941"),
        ),
        _reference(
            "LeCun et al. 1989",
            "LeCun, Y., Boser, B., Denker, J. S., Henderson, D., Howard, R. E., Hubbard, W., Jackel, L. D.",
            "Backpropagation applied to handwritten zip code recognition",
            "Neural Computation 1(4), 541–551",
            _doi("10.1162/neco.1989.1.4.541"),
        ),
        _reference(
            "LeCun et al. 1998",
            "LeCun, Y., Bottou, L., Orr, G. B., Müller, K.-R.",
            "Efficient BackProp",
            "In: Neural Networks: Tricks of the Trade, Lecture Notes in Computer Science 1524, Springer, 9–50",
            _doi("10.1007/3-540-49430-8_2"),
        ),
        _reference(
            "Lu et al. 2020",
            "Lu, L., Shin, Y., Su, Y., Karniadakis, G. E.",
            "Dying ReLU and initialization: Theory and numerical examples",
            "Communications in Computational Physics 28(5), 1671–1706",
            _arxiv("1903.06733"),
        ),
        _reference(
            "Maas et al. 2013",
            "Maas, A. L., Hannun, A. Y., Ng, A. Y.",
            "Rectifier nonlinearities improve neural network acoustic models",
            "ICML Workshop on Deep Learning for Audio, Speech and Language Processing",
            "https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf",
        ),
        _reference(
            "Mikolov 2012",
            "Mikolov, T.",
            "Statistical language models based on neural networks",
            "PhD thesis, Brno University of Technology",
            "https://www.fit.vutbr.cz/~imikolov/rnnlm/thesis.pdf",
        ),
        _reference(
            "Nair & Hinton 2010",
            "Nair, V., Hinton, G. E.",
            "Rectified linear units improve restricted Boltzmann machines",
            "International Conference on Machine Learning (ICML), 807–814",
            "https://www.cs.toronto.edu/~fritz/absps/reluICML.pdf",
        ),
        _reference(
            "Nesterov 1983",
            "Nesterov, Y.",
            "A method of solving a convex programming problem with convergence rate O(1/k²)",
            "Soviet Mathematics Doklady 27(2), 372–376",
            "https://www.mathnet.ru/eng/dan46009",
        ),
        _reference(
            "Newman 1986",
            "Newman, C. M.",
            "The distribution of Lyapunov exponents: Exact results for random matrices",
            "Communications in Mathematical Physics 103(1), 121–126",
        ),
        _reference(
            "Pascanu et al. 2013",
            "Pascanu, R., Mikolov, T., Bengio, Y.",
            "On the difficulty of training recurrent neural networks",
            "International Conference on Machine Learning (ICML), PMLR 28(3), 1310–1318",
            _arxiv("1211.5063"),
        ),
        _reference(
            "Pennington et al. 2017",
            "Pennington, J., Schoenholz, S. S., Ganguli, S.",
            "Resurrecting the sigmoid in deep learning through dynamical isometry: Theory and practice",
            "Advances in Neural Information Processing Systems (NIPS) 30",
            _arxiv("1711.04735"),
        ),
        _reference(
            "Polyak 1964",
            "Polyak, B. T.",
            "Some methods of speeding up the convergence of iteration methods",
            "USSR Computational Mathematics and Mathematical Physics 4(5), 1–17",
            _doi("10.1016/0041-5553(64)90137-5"),
        ),
        _reference(
            "Poole et al. 2016",
            "Poole, B., Lahiri, S., Raghu, M., Sohl-Dickstein, J., Ganguli, S.",
            "Exponential expressivity in deep neural networks through transient chaos",
            "Advances in Neural Information Processing Systems (NIPS) 29",
            _arxiv("1606.05340"),
        ),
        _reference(
            "Rumelhart, Hinton & Williams 1986",
            "Rumelhart, D. E., Hinton, G. E., Williams, R. J.",
            "Learning representations by back-propagating errors",
            "Nature 323, 533–536",
            _doi("10.1038/323533a0"),
        ),
        _reference(
            "Saxe et al. 2014",
            "Saxe, A. M., McClelland, J. L., Ganguli, S.",
            "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
            "International Conference on Learning Representations (ICLR)",
            _arxiv("1312.6120"),
        ),
        _reference(
            "Schoenholz et al. 2017",
            "Schoenholz, S. S., Gilmer, J., Ganguli, S., Sohl-Dickstein, J.",
            "Deep information propagation",
            "International Conference on Learning Representations (ICLR)",
            _arxiv("1611.01232"),
        ),
        _reference(
            "Solla et al. 1988",
            "Solla, S. A., Levin, E., Fleisher, M.",
            "Accelerated learning in layered neural networks",
            "Complex Systems 2, 625–640",
        ),
        _reference(
            "Sompolinsky et al. 1988",
            "Sompolinsky, H., Crisanti, A., Sommers, H. J.",
            "Chaos in random neural networks",
            "Physical Review Letters 61(3), 259–262",
            _doi("10.1103/PhysRevLett.61.259"),
        ),
        _reference(
            "CS231n",
            "Stanford University",
            "CS231n: Convolutional neural networks for visual recognition. Course notes, Neural networks part 3: Learning and evaluation",
            "Online",
            "https://cs231n.github.io/neural-networks-3/",
            year="undated",
        ),
        _reference(
            "Sutskever et al. 2013",
            "Sutskever, I., Martens, J., Dahl, G., Hinton, G.",
            "On the importance of initialization and momentum in deep learning",
            "International Conference on Machine Learning (ICML), PMLR 28(3), 1139–1147",
            "https://proceedings.mlr.press/v28/sutskever13.html",
        ),
        _reference(
            "Tallec & Ollivier 2017",
            "Tallec, C., Ollivier, Y.",
            "Unbiasing truncated backpropagation through time",
            "arXiv",
            _arxiv("1705.08209"),
        ),
        _reference(
            "Tallec & Ollivier 2018",
            "Tallec, C., Ollivier, Y.",
            "Can recurrent neural networks warp time?",
            "International Conference on Learning Representations (ICLR)",
            _arxiv("1804.11188"),
        ),
        _reference(
            "Tieleman & Hinton 2012",
            "Tieleman, T., Hinton, G.",
            "Lecture 6.5, RMSProp: Divide the gradient by a running average of its recent magnitude",
            "Coursera: Neural Networks for Machine Learning",
            "https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf",
        ),
        _reference(
            "Williams & Peng 1990",
            "Williams, R. J., Peng, J.",
            "An efficient gradient-based algorithm for on-line training of recurrent network trajectories",
            "Neural Computation 2(4), 490–501",
            _doi("10.1162/neco.1990.2.4.490"),
        ),
        _reference(
            "Wilson 1927",
            "Wilson, E. B.",
            "Probable inference, the law of succession, and statistical inference",
            "Journal of the American Statistical Association 22(158), 209–212",
            _doi("10.1080/01621459.1927.10502953"),
        ),
        _reference(
            "Wu & He 2018",
            "Wu, Y., He, K.",
            "Group normalization",
            "European Conference on Computer Vision (ECCV)",
            _arxiv("1803.08494"),
        ),
        _reference(
            "Xiao et al. 2018",
            "Xiao, L., Bahri, Y., Sohl-Dickstein, J., Schoenholz, S. S., Pennington, J.",
            "Dynamical isometry and a mean field theory of CNNs: How to train 10,000-layer vanilla convolutional neural networks",
            "International Conference on Machine Learning (ICML)",
            _arxiv("1806.05393"),
        ),
        _reference(
            "Xu et al. 2015",
            "Xu, B., Wang, N., Chen, T., Li, M.",
            "Empirical evaluation of rectified activations in convolutional network",
            "arXiv",
            _arxiv("1505.00853"),
        ),
        _reference(
            "Yang & Schoenholz 2017",
            "Yang, G., Schoenholz, S. S.",
            "Mean field residual networks: On the edge of chaos",
            "Advances in Neural Information Processing Systems (NIPS) 30",
            _arxiv("1712.08969"),
        ),
        _reference(
            "Yang et al. 2019",
            "Yang, G., Pennington, J., Rao, V., Sohl-Dickstein, J., Schoenholz, S. S.",
            "A mean field theory of batch normalization",
            "International Conference on Learning Representations (ICLR)",
            _arxiv("1902.08129"),
        ),
        _reference(
            "Zhang et al. 2019",
            "Zhang, H., Dauphin, Y. N., Ma, T.",
            "Fixup initialization: Residual learning without normalization",
            "International Conference on Learning Representations (ICLR)",
            _arxiv("1901.09321"),
        ),
    ]
)
_CITATIONS = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in sorted(REFERENCES, key=len, reverse=True)))


def cited(*texts: str) -> list[Reference]:
    """Return the works that texts cite, each once, in the order of the list.

    >>> [reference.authors for reference in cited("Glorot & Bengio 2010, eq. 16")]
    ['Glorot, X., Bengio, Y.']
    """
    return in_order(name for text in texts for name in _CITATIONS.findall(text))


def in_order(names: Iterable[str]) -> list[Reference]:
    """Return works by their short names, each once, in the order of the list."""
    wanted = set(names)
    return [reference for name, reference in REFERENCES.items() if name in wanted]
