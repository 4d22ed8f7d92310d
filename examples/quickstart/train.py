"""A script as it was before Aloft: scikit-learn and plain mlflow."""

import mlflow
from sklearn.datasets import load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split

rows, grape = load_wine(return_X_y=True, as_frame=True)
train, test, train_grape, test_grape = train_test_split(rows, grape, random_state=0)

mlflow.set_experiment("quickstart")
with mlflow.start_run():
    model = HistGradientBoostingClassifier(max_iter=50).fit(train, train_grape)
    mlflow.log_metric("accuracy", model.score(test, test_grape))
    mlflow.sklearn.log_model(
        model,
        name="model",
        input_example=test.head(),
        registered_model_name="wine",
        serialization_format="cloudpickle",
    )
